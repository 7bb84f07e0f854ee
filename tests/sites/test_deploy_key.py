"""Having a Git provider let a site in: by the API, and by a button on the site's page."""

from typing import Any

import orjson
import pytest
from django.test import Client

from audit.models import AuditEvent
from deploynix.actor import Actor
from deploynix.ids import new_id
from jobs.models import Job
from jobs.models import Status as JobStatus
from jobs.runner import run_job
from providers.models import Credential
from repositories.actions import connect_repository, disconnect_repository, update_repository
from repositories.models import GitRepository
from servers.models import Server
from sites.models import Site
from tests import factories
from tests.apiclient import ApiClient, Response
from tests.providers.conftest import _fakes
from tests.repositories.conftest import connected, forge
from tests.sites.conftest import address_of
from tokens.actions import create_token

__all__ = ["_fakes"]
pytestmark = pytest.mark.django_db
URL = "git@forge.test:acme/shop-2.git"


@pytest.fixture
def credential(owner: Actor) -> Credential:
    return forge(owner)


@pytest.fixture
def shop(owner: Actor, credential: Credential) -> GitRepository:
    return connected(owner, credential)


@pytest.fixture
def site(server: Server) -> Site:
    return factories.site(server, domain="shop.example", repository_url=URL)


def path_of(repository: GitRepository) -> str:
    return f"/git-repositories/{repository.pk}/setup-deploy-key"


def read(response: Response, status: int = 200) -> Any:
    assert response.status_code == status, response.content
    return orjson.loads(response.content)


def done(answer: Any) -> Job:
    run_job(answer["job"]["id"])
    return Job.objects.get(pk=answer["job"]["id"])


def log_of(job: Job) -> str:
    return "".join(job.log.values_list("text", flat=True))


def test_a_site_is_let_in_by_a_job(api: ApiClient, shop: GitRepository, site: Site) -> None:
    answer = read(api.post(path_of(shop), {"site_id": site.pk}), 202)
    assert (answer["message"], answer["data"]["id"]) == ("The deploy key is being set up.", site.pk)
    job = done(answer)
    assert (job.status, job.result, job.subject_id) == (JobStatus.SUCCEEDED, {"key_id": "key-2"}, site.pk)
    assert "shop.example may read acme/shop-2 at Forge." in log_of(job)
    assert "Deploys use no key" not in log_of(job)
    event = AuditEvent.objects.get(event="site.deploy-key-set-up")
    assert (event.target, event.changes) == ("shop.example", {"repository": [None, "acme/shop-2"]})


def test_asking_twice_does_it_once(api: ApiClient, shop: GitRepository, site: Site) -> None:
    first, again = (read(api.post(path_of(shop), {"site_id": site.pk}), 202) for _ in range(2))
    assert first["job"] == again["job"]
    results = [done(first).result, done(read(api.post(path_of(shop), {"site_id": site.pk}), 202)).result]
    assert results == [{"key_id": "key-2"}] * 2


def test_whoever_deploys_without_the_key_is_told(api: ApiClient, shop: GitRepository, site: Site) -> None:
    Site.objects.update(repository_url="https://forge.test/acme/shop-2")
    job = done(read(api.post(path_of(shop), {"site_id": site.pk}), 202))
    assert f"Deploys use no key for https://forge.test/acme/shop-2: change it to {URL}." in log_of(job)


def test_a_site_of_another_repository_is_refused_with_both_addresses(
    api: ApiClient, shop: GitRepository, site: Site
) -> None:
    Site.objects.update(repository_url="git@forge.test:acme/shop-3.git")
    answer = read(api.post(path_of(shop), {"site_id": site.pk}), 422)
    for text in (
        "shop.example is deployed from git@forge.test:acme/shop-3.git",
        URL,
        "https://forge.test/acme/shop-2.git",
    ):
        assert text in answer["errors"]["site_id"][0]
    assert not Job.objects.about(site).exists()


def test_nothing_is_done_about_a_repository_that_nobody_has_read(
    api: ApiClient, owner: Actor, credential: Credential, site: Site
) -> None:
    repository = connect_repository(owner, credential=credential, full_name="acme/shop-2")
    answer = read(api.post(path_of(repository), {"site_id": site.pk}), 409)
    assert (answer["message"], answer["hint"]) == (
        "acme/shop-2 has not been read from its provider.",
        "Wait until it was read.",
    )


def test_what_has_changed_since_is_looked_at_again(
    api: ApiClient, owner: Actor, shop: GitRepository, site: Site
) -> None:
    answer = read(api.post(path_of(shop), {"site_id": site.pk}), 202)
    update_repository(owner, repository=shop, credential=forge(owner, name="Other"))
    job = done(answer)
    assert (job.status, job.error) == (JobStatus.FAILED, "acme/shop-2 has not been read from its provider.")

    other = connected(owner, shop.credential)
    answer = read(api.post(path_of(other), {"site_id": site.pk}), 202)
    disconnect_repository(owner, repository=other)
    job = done(answer)
    assert (job.status, job.error) == (JobStatus.FAILED, "The repository has been disconnected.")


def test_what_the_provider_refuses_is_told_with_its_remedy(api: ApiClient, owner: Actor, site: Site) -> None:
    repository = connected(owner, forge(owner, token="limited-token"))
    job = done(read(api.post(path_of(repository), {"site_id": site.pk}), 202))
    assert (job.status, job.error, job.hint) == (JobStatus.FAILED, "Forge answered 403.", "Give it Deploy keys: write.")


def test_nobody_lets_in_what_is_not_theirs(
    api: ApiClient,
    member_api: ApiClient,
    outsider_api: ApiClient,
    outsider: Actor,
    shop: GitRepository,
    site: Site,
) -> None:
    body = {"site_id": site.pk}
    foreign = factories.site(factories.server(outsider.organization), repository_url=URL)
    for pk in (foreign.pk, new_id()):
        assert read(api.post(path_of(shop), {"site_id": pk}), 422)["errors"] == {
            "site_id": ["The selected site id is invalid."]
        }
    read(api.post(path_of(connected(outsider, forge(outsider))), body), 404)
    read(outsider_api.post(path_of(shop), body), 404)
    read(member_api.post(path_of(shop), body), 403)


def test_a_token_needs_both_abilities_and_the_site(owner: Actor, shop: GitRepository, site: Site) -> None:
    def asked(**limits: Any) -> Response:
        abilities = limits.pop("abilities", ["site:update", "provider:read"])
        return ApiClient(create_token(owner, name=new_id(), abilities=abilities, **limits)[1]).post(
            path_of(shop), {"site_id": site.pk}
        )

    read(asked(abilities=["site:update"]), 403)
    read(asked(abilities=["provider:read"]), 403)
    read(asked(servers=[factories.server(owner.organization).pk]), 422)
    read(asked(sites=[site.pk]), 202)


def test_the_site_offers_the_connected_repositories_that_fit(
    owner: Actor, owner_client: Client, member_client: Client, shop: GitRepository, site: Site
) -> None:
    other = connected(owner, forge(owner, name="Other"))
    connected(owner, shop.credential, "acme/shop-3")
    page = owner_client.get(address_of(site)).content.decode()
    for repository, name in ((shop, "Forge"), (other, "Other")):
        assert f'name="repository" value="{repository.pk}"' in page
        assert f"with {name}" in page
    assert page.count("Add it to acme/shop-") == 2
    seen = member_client.get(address_of(site)).content.decode()
    assert "needs the ability site:update" in seen
    assert 'name="repository"' not in seen

    response = owner_client.post(address_of(site, "/setup-deploy-key"), {"repository": shop.pk})
    job = Job.objects.about(site).get()
    assert response["Location"] == f"/jobs/{job.pk}"
    run_job(job.pk)
    assert Job.objects.get(pk=job.pk).status == JobStatus.SUCCEEDED


def test_where_none_fits_the_site_tells_where_to_connect_one(owner_client: Client, site: Site) -> None:
    page = owner_client.get(address_of(site)).content.decode()
    assert "Add it to" not in page.replace("Add it to a private repository", "")
    assert 'href="/settings/git-providers"' in page


def test_the_button_refuses_what_does_not_fit_and_what_is_foreign(
    owner: Actor, owner_client: Client, member_client: Client, outsider_client: Client, shop: GitRepository, site: Site
) -> None:
    address = address_of(site, "/setup-deploy-key")
    other = connected(owner, shop.credential, "acme/shop-3")
    page = owner_client.post(address, {"repository": other.pk}, follow=True).content.decode()
    assert "is deployed from git@forge.test:acme/shop-2.git" in page
    assert owner_client.post(address, {"repository": new_id()}).status_code == 404
    assert owner_client.post(address).status_code == 404
    assert member_client.post(address, {"repository": shop.pk}).status_code == 403
    assert outsider_client.post(address, {"repository": shop.pk}).status_code == 404
    assert not Job.objects.about(site).exists()
