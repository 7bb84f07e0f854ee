"""Sites under the name that API keys know them by, and PATCH of a server."""

import pytest
from pytest_django import DjangoAssertNumQueries

from deploynix.actor import Actor
from jobs.models import Job
from servers.models import Server
from sites.models import Site
from tests import factories
from tests.apiclient import ApiClient
from tests.sites.conftest import address_of, fields
from tests.sites.test_api import read

pytestmark = pytest.mark.django_db


def test_an_instance_is_a_site(api: ApiClient, server: Server) -> None:
    response = api.post("/instances", fields(server_id=server.pk, aliases=["www.example.com"]))
    assert response.status_code == 201
    data = read(response)["data"]
    site = Site.objects.get()
    assert (site.server, site.aliases) == (server, ["www.example.com"])
    for path in (f"/instances/{site.pk}", address_of(site)):
        assert read(api.get(path))["data"] == data
    assert read(api.get("/instances"))["data"] == [data]
    response = api.call("PATCH", f"/instances/{site.pk}", {"branch": "next"})
    assert (response.status_code, read(response)["data"]["branch"]) == (200, "next")
    assert read(api.call("PATCH", f"/instances/{site.pk}", data | {"branch": "main"}))["data"]["branch"] == "main"
    assert api.delete(f"/instances/{site.pk}").status_code == 204
    assert read(api.get("/instances"))["data"] == []


def test_deleting_one_that_is_on_the_server_is_a_job(api: ApiClient, live: Site) -> None:
    response = api.delete(f"/instances/{live.pk}")
    assert (response.status_code, read(response)["data"]["status"]) == (202, "deleting")
    assert read(response)["job"]["id"] == Job.objects.get().pk


def test_bad_input_changes_nothing(api: ApiClient, outsider: Actor, site: Site) -> None:
    foreign = factories.server(outsider.organization)
    for pk in (foreign.pk, "nonsense"):
        response = api.post("/instances", fields(domain="new.example.com", server_id=pk))
        assert read(response)["errors"] == {"server_id": ["The selected server id is invalid."]}
    assert set(read(api.post("/instances", {}))["errors"]) == {"server_id", "domain", "repository_url"}
    response = api.call("PATCH", f"/instances/{site.pk}", {"branch": "--upload-pack=x"})
    assert (response.status_code, set(read(response)["errors"])) == (422, {"branch"})
    assert api.call("PATCH", f"/instances/{site.pk}", {"colour": "red"}).status_code == 422
    assert Site.objects.get().branch == "main"


def test_a_viewer_and_a_stranger(member_api: ApiClient, outsider_api: ApiClient, live: Site) -> None:
    path = f"/instances/{live.pk}"
    assert member_api.get(path).status_code == 200
    assert outsider_api.get(path).status_code == 404
    assert read(outsider_api.get("/instances"))["data"] == []
    body = fields(domain="new.example.com", server_id=live.server_id)
    assert member_api.post("/instances", body).status_code == 403
    assert outsider_api.post("/instances", body).status_code == 422
    for client, status in ((member_api, 403), (outsider_api, 404)):
        assert client.call("PATCH", path, {"branch": "x"}).status_code == status
        assert client.delete(path).status_code == status
    live.refresh_from_db()
    assert (live.branch, live.status) == ("main", "active")


def test_the_list_takes_two_queries(
    api: ApiClient, live: Site, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(20):
        factories.site(live.server)
    api.get("/instances")
    with django_assert_num_queries(2):
        assert read(api.get("/instances?per_page=50"))["meta"]["total"] == 21
