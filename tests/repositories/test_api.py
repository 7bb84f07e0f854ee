"""Repositories under /api/v1."""

from typing import Any

import orjson
import pytest

from audit.models import AuditEvent
from deploynix.actor import Actor
from deploynix.ids import new_id
from jobs.actions import cancel_job
from jobs.models import Job
from jobs.models import Status as JobStatus
from jobs.runner import run_job
from providers.base import Kind
from providers.contracts.git import Repository
from providers.errors import Unavailable
from providers.models import Credential
from providers.registry import provider_of
from repositories import actions
from repositories.models import GitRepository, Status
from tests import factories
from tests.apiclient import ApiClient, Response
from tests.providers.asking import TOKEN, connect
from tests.repositories.conftest import connected, forge, read_now
from tokens.actions import create_token

pytestmark = pytest.mark.django_db
PATH = "/git-repositories"
SHOP_2 = {
    "provider_id": "2",
    "full_name": "acme/shop-2",
    "clone_url": "https://forge.test/acme/shop-2.git",
    "ssh_url": "git@forge.test:acme/shop-2.git",
    "default_branch": "main",
    "is_private": True,
}


def read(response: Response, status: int = 200) -> Any:
    assert response.status_code == status, response.content
    assert TOKEN.encode() not in response.content
    return orjson.loads(response.content) if response.content else None


def test_a_repository_is_connected_and_then_read(api: ApiClient, credential: Credential) -> None:
    made = read(api.post(PATH, {"credential_id": credential.pk, "full_name": " acme/shop-2 "}), 201)
    row = made["data"]
    assert (row["status"], row["is_private"], row["read_at"], row["clone_url"]) == ("unread", None, None, "")
    job = Job.objects.get(pk=made["job"]["id"])
    assert made["job"]["url"].endswith(f"/api/v1/jobs/{job.pk}")
    run_job(job.pk)
    row = read(api.get(f"{PATH}/{row['id']}"))["data"]
    assert {name: row[name] for name in SHOP_2} == SHOP_2
    assert (row["status"], row["status_reason"], row["credential_id"]) == ("connected", "", credential.pk)
    assert row["read_at"]
    assert "Forge has acme/shop-2; its branch is main." in "".join(job.log.values_list("text", flat=True))
    event = AuditEvent.objects.get(event="repository.connected")
    assert (event.target, event.changes) == ("acme/shop-2", {"credential": [None, credential.pk]})


def test_the_name_is_kept_as_the_provider_writes_it(owner: Actor, credential: Credential) -> None:
    assert connected(owner, credential, "ACME/Shop-1").full_name == "acme/shop-1"


def test_repositories_are_listed_by_credential(api: ApiClient, owner: Actor, shop: GitRepository) -> None:
    other = connected(owner, forge(owner, name="Other"), "acme/shop-3")
    assert [row["id"] for row in read(api.get(PATH))["data"]] == [other.pk, shop.pk]
    found = read(api.get(f"{PATH}?credential={shop.credential_id}&per_page=1"))
    assert ([row["id"] for row in found["data"]], found["meta"]["total"]) == ([shop.pk], 1)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "shop",
        "acme/",
        "/shop",
        "acme//shop",
        "acme/shop?x",
        "acme/sh op",
        "acme/shöp",
        "https://a.test/b",
        "a/" + "b" * 254,
    ],
)
def test_what_is_no_name_is_refused(name: str, api: ApiClient, credential: Credential) -> None:
    answer = read(api.post(PATH, {"credential_id": credential.pk, "full_name": name}), 422)
    assert list(answer["errors"]) == ["full_name"]
    assert not GitRepository.objects.exists()


def test_it_needs_a_git_provider_of_the_organization(api: ApiClient, owner: Actor, outsider: Actor) -> None:
    answers = [
        api.post(PATH, {"credential_id": pk, "full_name": "acme/shop-1"}).content
        for pk in (connect(owner).pk, forge(outsider).pk, new_id())
    ]
    assert {orjson.loads(answer)["errors"]["credential_id"][0] for answer in answers} == {
        "The selected credential id is invalid."
    }
    assert not GitRepository.objects.exists()


def test_a_credential_connects_a_repository_once(api: ApiClient, owner: Actor, shop: GitRepository) -> None:
    body = {"credential_id": shop.credential_id, "full_name": "Acme/SHOP-2"}
    assert read(api.post(PATH, body), 422)["errors"] == {"full_name": ["Acme/SHOP-2 is connected with Forge already."]}
    other = forge(owner, name="Other")
    made = read(api.post(PATH, {**body, "credential_id": other.pk}), 201)["data"]
    answer = read(api.put(f"{PATH}/{made['id']}", {"credential_id": shop.credential_id}), 422)
    assert list(answer["errors"]) == ["credential_id"]
    assert GitRepository.objects.get(pk=made["id"]).credential == other


def test_it_is_read_again_and_what_is_known_stays_meanwhile(api: ApiClient, shop: GitRepository) -> None:
    GitRepository.objects.update(default_branch="old")
    sent = read(api.get(f"{PATH}/{shop.pk}"))["data"]
    answer = read(api.put(f"{PATH}/{shop.pk}", sent))
    assert (answer["data"]["status"], answer["data"]["provider_id"]) == ("unread", "2")
    # The one that waits does for both.
    assert read(api.put(f"{PATH}/{shop.pk}", {}))["job"] == answer["job"]
    read_now(shop)
    assert (shop.status, shop.default_branch) == (Status.CONNECTED, "main")


def test_with_another_credential_all_is_unknown_until_it_was_read(
    api: ApiClient, owner: Actor, shop: GitRepository
) -> None:
    before, other = shop.credential_id, forge(owner, name="Other")
    row = read(api.put(f"{PATH}/{shop.pk}", {"credential_id": other.pk}))["data"]
    assert (row["credential_id"], row["status"], row["provider_id"], row["clone_url"]) == (other.pk, "unread", "", "")
    read_now(shop)
    assert (shop.status, shop.provider_id) == (Status.CONNECTED, "2")
    event = AuditEvent.objects.get(event="repository.updated")
    assert event.changes == {"credential": [before, other.pk]}


def test_what_a_former_credential_tells_is_not_kept(
    owner: Actor, credential: Credential, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = actions.connect_repository(owner, credential=credential, full_name="acme/shop-1")
    other = forge(owner, name="Other")
    told = provider_of(Kind.GIT, "forge").repository  # type: ignore[attr-defined]

    def meanwhile(self: Any, full_name: str) -> Repository:
        actions.update_repository(owner, repository=repository, credential=other)
        return told(self, full_name)  # type: ignore[no-any-return]

    with monkeypatch.context() as patch:
        patch.setattr(provider_of(Kind.GIT, "forge"), "repository", meanwhile)
        run_job(Job.objects.about(repository).get().pk)
    repository.refresh_from_db()
    assert (repository.status, repository.provider_id) == (Status.UNREAD, "")
    read_now(repository)
    assert (repository.status, repository.provider_id) == (Status.CONNECTED, "1")


def test_a_failure_says_why_and_what_to_do_without_the_secret(owner: Actor, credential: Credential) -> None:
    repository = actions.connect_repository(owner, credential=credential, full_name="acme/gone")
    job = read_now(repository)
    assert job.status == JobStatus.FAILED
    assert repository.status == Status.FAILED
    assert repository.status_reason.startswith("Forge answered 404 to [redacted]. Look whether the repository is still")
    assert repository.read_at is not None


def test_a_failure_forgets_nothing(owner: Actor, shop: GitRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Any, full_name: str) -> Repository:
        raise Unavailable("Forge answered 503.")

    monkeypatch.setattr(provider_of(Kind.GIT, "forge"), "repository", fail)
    monkeypatch.setattr("repositories.kinds.ReadRepository.max_retries", 0)
    actions.update_repository(owner, repository=shop)
    read_now(shop)
    assert shop.status_reason.startswith("Forge answered 503.")
    assert (shop.status, shop.provider_id) == (Status.FAILED, "2")


def test_another_name_is_no_answer(owner: Actor, credential: Credential, monkeypatch: pytest.MonkeyPatch) -> None:
    renamed = Repository(
        "2", "acme/store", "https://forge.test/acme/store.git", "git@forge.test:acme/store.git", "main", True
    )
    monkeypatch.setattr(provider_of(Kind.GIT, "forge"), "repository", lambda self, full_name: renamed)
    repository = connected(owner, credential)
    assert (repository.status, repository.full_name, repository.clone_url) == (Status.FAILED, "acme/shop-2", "")
    assert "is called acme/store now. Connect that one in its place." in repository.status_reason


def test_a_reading_that_is_cancelled_does_not_stay_open(owner: Actor, credential: Credential) -> None:
    repository = actions.connect_repository(owner, credential=credential, full_name="acme/shop-1")
    cancel_job(owner, job=Job.objects.about(repository).get())
    repository.refresh_from_db()
    assert (repository.status, "cancelled" in repository.status_reason) == (Status.FAILED, True)


def test_a_disconnected_repository_is_gone_and_not_read_any_more(
    api: ApiClient, owner: Actor, credential: Credential
) -> None:
    repository = actions.connect_repository(owner, credential=credential, full_name="acme/shop-1")
    job = Job.objects.about(repository).get()
    read(api.delete(f"{PATH}/{repository.pk}"), 204)
    read(api.get(f"{PATH}/{repository.pk}"), 404)
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.error) == (JobStatus.FAILED, "The repository has been disconnected.")
    assert AuditEvent.objects.get(event="repository.disconnected").target == "acme/shop-1"


def test_a_credential_with_repositories_stays(api: ApiClient, shop: GitRepository) -> None:
    answer = read(api.delete(f"/git-providers/{shop.credential_id}"), 409)
    assert answer["message"] == "Forge is used by the repository acme/shop-2."
    read(api.delete(f"{PATH}/{shop.pk}"), 204)
    read(api.delete(f"/git-providers/{shop.credential_id}"), 204)


def test_an_organization_goes_with_its_repositories(owner: Actor, shop: GitRepository) -> None:
    owner.organization.delete()
    assert not GitRepository.objects.exists()


def test_a_viewer_only_looks_and_a_stranger_finds_nothing(
    member_api: ApiClient, outsider_api: ApiClient, outsider: Actor, shop: GitRepository
) -> None:
    path = f"{PATH}/{shop.pk}"
    body = {"credential_id": shop.credential_id, "full_name": "acme/shop-1"}
    assert read(member_api.get(path))["data"]["full_name"] == "acme/shop-2"
    read(member_api.post(PATH, body), 403)
    read(member_api.put(path, {}), 403)
    read(member_api.delete(path), 403)
    assert read(outsider_api.get(PATH))["data"] == []
    assert read(outsider_api.get(f"{PATH}?credential={shop.credential_id}"))["data"] == []
    for method in ("GET", "PUT", "DELETE"):
        read(outsider_api.call(method, path), 404)
    read(outsider_api.post(PATH, body), 422)
    assert list(GitRepository.objects.all()) == [shop]


def test_a_token_that_is_limited_looks_and_changes_nothing(owner: Actor, shop: GitRepository) -> None:
    server = factories.server(owner.organization)
    limited = ApiClient(create_token(owner, name="limited", servers=[server.pk])[1])
    path = f"{PATH}/{shop.pk}"
    assert read(limited.get(path))["data"]["id"] == shop.pk
    body = {"credential_id": shop.credential_id, "full_name": "acme/shop-1"}
    for method, address, sent in (("POST", PATH, body), ("PUT", path, {}), ("DELETE", path, None)):
        assert "limited to" in read(limited.call(method, address, sent), 403)["message"]
