"""Sites under /api/v1, as the reference says."""

from typing import Any

import orjson
import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from audit.models import AuditEvent
from deploynix.actor import Actor
from jobs.models import Job
from servers.models import Server
from sites.actions.environment import create_environment_variable
from sites.models import EnvironmentVariable, Release, Site
from tests import factories
from tests.apiclient import ApiClient, Response
from tests.sites.conftest import address_of, fields

pytestmark = pytest.mark.django_db


def read(response: Response) -> Any:
    return orjson.loads(response.content)


def test_a_site_is_created_read_changed_and_removed(api: ApiClient, server: Server) -> None:
    address = f"/servers/{server.pk}/sites"
    response = api.post(address, fields(aliases=["www.example.com"], branch="production"))
    assert response.status_code == 201
    data = read(response)["data"]
    assert (data["domain"], data["status"], data["is_zero_downtime"]) == ("shop.example.com", "pending", True)
    assert data["deploy_public_key"].startswith("ssh-ed25519 ")
    assert b"PRIVATE" not in response.content
    assert read(api.get(f"{address}/{data['id']}"))["data"] == data
    sent_back = data | {"branch": "main", "domain": "new.example.com"}
    response = api.put(f"{address}/{data['id']}", sent_back)
    assert (response.status_code, read(response)["data"]["domain"]) == (200, "new.example.com")
    assert data["is_https_forced"]
    assert not read(api.put(f"{address}/{data['id']}", {"is_https_forced": False}))["data"]["is_https_forced"]
    assert api.delete(f"{address}/{data['id']}").status_code == 204
    assert api.get(f"{address}/{data['id']}").status_code == 404


def test_bad_input_names_its_fields(api: ApiClient, server: Server) -> None:
    response = api.post(f"/servers/{server.pk}/sites", {"domain": "a b", "branch": 7, "colour": "red"})
    assert response.status_code == 422
    assert read(response)["message"] == "The given data was invalid."
    assert set(read(response)["errors"]) == {"repository_url", "branch", "colour"}
    assert read(response)["errors"]["repository_url"] == ["The repository url field is required."]
    response = api.post(f"/servers/{server.pk}/sites", fields(branch="--upload-pack=x", web_root="../../etc"))
    assert set(read(response)["errors"]) == {"branch", "web_root"}
    assert not Site.objects.exists()


def test_a_deploy_needs_no_body_and_no_other_ability(owner: Actor, site: Site) -> None:
    api = ApiClient.signed_in(owner, ["site:deploy"])
    response = api.post(address_of(site, "/deploy"))
    assert response.status_code == 202
    answer = read(response)
    job = Job.objects.get()
    assert answer["message"] == "Deployment started."
    assert answer["job"]["id"] == job.pk
    assert (answer["data"]["status"], answer["data"]["last_deployment_status"]) == ("installing", "queued")
    assert api.post(address_of(site, "/deploy"), {"ref": "v1.0"}).status_code == 202
    assert api.post(address_of(site, "/deploy"), {"ref": "-x"}).status_code == 422
    response = api.get(address_of(site))
    assert response.status_code == 403
    assert "site:read" in read(response)["message"]


def test_releases_and_rolling_back(api: ApiClient, live: Site) -> None:
    releases = read(api.get(address_of(live, "/releases")))["data"]
    assert [(row["id"], row["is_current"], row["is_on_server"]) for row in releases] == [
        ("01C", True, True),
        ("01B", False, False),
        ("01A", False, True),
    ]
    response = api.post(address_of(live, "/rollback"))
    assert (response.status_code, read(response)["message"]) == (202, "Rollback started.")
    assert live.deployments.get().release_id == "01A"
    assert api.post(address_of(live, "/rollback"), {"release_id": "01B"}).status_code == 409
    assert api.post(address_of(live, "/rollback"), {"release_id": "nonsense"}).status_code == 422


def test_a_release_of_another_site_is_refused(api: ApiClient, live: Site, outsider: Actor) -> None:
    other = factories.site(factories.server(outsider.organization))
    release = Release.objects.create(
        site=other, folder="x", commit="1" * 40, is_on_server=True, activated_at=timezone.now()
    )
    assert api.post(address_of(live, "/rollback"), {"release_id": release.pk}).status_code == 422


def test_suspending_resuming_and_zero_downtime(api: ApiClient, live: Site) -> None:
    assert api.post(address_of(live, "/resume")).status_code == 409
    assert read(api.post(address_of(live, "/suspend")))["message"] == "Suspension started."
    Site.objects.update(is_zero_downtime=False, status="suspended")
    assert read(api.post(address_of(live, "/resume")))["message"] == "Resumption started."
    response = api.post(address_of(live, "/enable-zero-downtime"))
    assert (response.status_code, read(response)["data"]["is_zero_downtime"]) == (200, True)


def test_environment_variables_show_their_value_only_when_revealed(api: ApiClient, owner: Actor, live: Site) -> None:
    address = address_of(live, "/environment-variables")
    response = api.post(address, {"name": "APP_KEY", "value": " s3cret-value "})
    assert response.status_code == 201
    row = read(response)["data"]
    assert set(row) == {"id", "name", "created_at", "updated_at"}
    assert EnvironmentVariable.objects.get().value == " s3cret-value "
    assert api.put(f"{address}/{row['id']}", {"value": "an0ther"}).status_code == 200
    for path in (address, f"{address}/{row['id']}"):
        assert b"an0ther" not in api.get(path).content
    assert read(api.get(f"{address}/{row['id']}?reveal=1"))["data"]["value"] == "an0ther"
    assert AuditEvent.objects.filter(event="env.revealed").count() == 1
    weaker = ApiClient.signed_in(owner, ["env:read"])
    assert weaker.get(f"{address}/{row['id']}").status_code == 200
    assert weaker.get(f"{address}/{row['id']}?reveal=1").status_code == 403
    assert api.post(address, {"name": "APP_KEY", "value": "x"}).status_code == 422
    assert read(api.post(f"{address}/pull"))["message"] == "Import started."
    assert api.delete(f"{address}/{row['id']}").status_code == 204
    assert read(api.get(address))["data"] == []


def test_a_viewer_reads_and_changes_nothing(member_api: ApiClient, live: Site) -> None:
    assert member_api.get(address_of(live)).status_code == 200
    assert member_api.get("/sites").status_code == 200
    for rest in ("/deploy", "/rollback", "/suspend", "/resume", "/enable-zero-downtime", "/forget-host-key"):
        assert member_api.post(address_of(live, rest)).status_code == 403
    assert member_api.post(f"/servers/{live.server_id}/sites", fields()).status_code == 403
    assert member_api.put(address_of(live), {"branch": "x"}).status_code == 403
    assert member_api.delete(address_of(live)).status_code == 403
    assert member_api.get(address_of(live, "/environment-variables")).status_code == 403


def test_a_stranger_finds_nothing(outsider_api: ApiClient, owner: Actor, outsider: Actor, live: Site) -> None:
    variable = create_environment_variable(owner, site=live, name="NAME", value="value")
    assert read(outsider_api.get("/sites"))["data"] == []
    for rest in ("", "/releases", "/environment-variables", f"/environment-variables/{variable.pk}?reveal=1"):
        assert outsider_api.get(address_of(live, rest)).status_code == 404, rest
    for rest in ("/deploy", "/rollback", "/suspend", "/resume", "/enable-zero-downtime", "/environment-variables/pull"):
        assert outsider_api.post(address_of(live, rest)).status_code == 404, rest
    assert outsider_api.get(f"/servers/{live.server_id}/sites").status_code == 404
    assert outsider_api.post(f"/servers/{live.server_id}/sites", fields()).status_code == 404
    assert outsider_api.put(address_of(live), {"branch": "x"}).status_code == 404
    assert outsider_api.delete(address_of(live)).status_code == 404
    assert outsider_api.delete(address_of(live, f"/environment-variables/{variable.pk}")).status_code == 404
    # Under a server of one's own, too.
    own = factories.server(outsider.organization)
    assert outsider_api.get(f"/servers/{own.pk}/sites/{live.pk}").status_code == 404
    assert not Job.objects.exists()


def test_the_list_takes_two_queries(
    api: ApiClient, live: Site, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(20):
        factories.site(live.server)
    for address in (f"/servers/{live.server_id}/sites?per_page=50", "/sites?per_page=50"):
        api.get(address)
        with django_assert_num_queries(2):
            answer = read(api.get(address))
        assert answer["meta"]["total"] == 21
        row = next(row for row in answer["data"] if row["id"] == live.pk)
        assert row["current_commit"] == "2" * 40
