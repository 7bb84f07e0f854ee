"""Tokens that are limited to some servers and sites: everything else is not there for them."""

from collections import defaultdict
from typing import Any

import pytest
from pytest_django import Settings

from deploynix.actor import Actor
from deploynix.ids import new_id
from jobs.models import Job
from jobs.models import Status as JobStatus
from servers.models import Server
from sites.actions.sites import delete_site
from sites.models import Site
from tests import factories
from tests.apiclient import ApiClient, Response
from tests.everything import Call, Everything, calls
from tokens.actions import create_api_key, create_token
from tokens.models import Token

pytestmark = pytest.mark.django_db
NAMED = [call for call in calls() if not call.is_public and call.places]
LISTS = [call for call in calls() if call.operation.page and not call.places]
# Those that show something about a server or site.
SHOWN = [call for call in NAMED if call.method == "GET" and not {"access-tokens", "api-keys"} & set(call.places)]
# What belongs to the organization as a whole: abilities alone decide who sees it.
SHARED = {"applications", "credentials", "dns-providers", "providers", "scripts", "teams"} | {
    *("git-providers", "git-repositories"),
}
NEW_SITE = {"domain": "shop.example", "repository_url": "https://git.example/shop.git"}


@pytest.fixture(autouse=True)
def _many_requests(settings: Settings) -> None:
    settings.RATE_LIMIT_GENERAL = settings.RATE_LIMIT_TOKENS = settings.RATE_LIMIT_DOWNLOADS = 10_000


def limited(owner: Actor, servers: list[Server] | None = None, sites: list[Site] | None = None) -> ApiClient:
    """The owner's API, with every ability, limited to these."""
    chosen = [row.pk for row in servers or ()], [row.pk for row in sites or ()]
    return ApiClient(create_token(owner, name="limited", servers=chosen[0], sites=chosen[1])[1])


def made_up() -> dict[str, str]:
    return defaultdict(new_id)


def ids_of(response: Response) -> set[str]:
    assert response.status_code == 200, response.content
    return {row["id"] for row in response.json()["data"]}


def test_no_route_tells_what_is_hidden_from_what_is_not_there(owner: Actor, outsider: Actor) -> None:
    """Of another organization, of the same one, or made up: all three are the same 404, byte for byte."""
    chosen, hidden, foreign = Everything(owner), Everything(owner), Everything(outsider)
    api = limited(owner, servers=[chosen.server])
    for call in NAMED:
        for places in {*((place,) for place in call.places), tuple(call.places)}:
            worlds = [foreign.ids, made_up()] + ([] if SHARED & set(places) else [hidden.ids])
            paths = [call.address(chosen.ids | {place: ids[place] for place in places}) for ids in worlds]
            answers = [api.call(call.method, path, chosen.body(call)) for path in paths]
            assert {answer.status_code for answer in answers} == {404}, (call, places)
            assert len({answer.content for answer in answers}) == 1, (call, places)


@pytest.mark.parametrize("call", SHOWN, ids=str)
def test_what_it_was_given_is_there(call: Call, owner: Actor) -> None:
    chosen = Everything(owner)
    api = limited(owner, servers=[chosen.server])
    assert api.get(call.address(chosen.ids)).status_code == 200


@pytest.mark.parametrize("call", LISTS, ids=str)
def test_lists_hold_only_what_it_sees(call: Call, owner: Actor) -> None:
    chosen, hidden = Everything(owner), Everything(owner)
    response = limited(owner, sites=[chosen.site]).get(f"{call.address(chosen.ids)}?per_page=100")
    assert response.status_code == 200
    text = response.content.decode()
    shown = {name for name, pk in hidden.ids.items() if pk in text}
    assert shown <= SHARED
    assert hidden.server.pk not in text
    assert hidden.job.pk not in text


def test_a_chosen_server_stands_for_its_sites(owner: Actor) -> None:
    first, second = factories.server(owner.organization), factories.server(owner.organization)
    site = factories.site(first)
    factories.site(second)
    api = limited(owner, servers=[first])
    assert ids_of(api.get("/servers")) == {first.pk}
    assert ids_of(api.get("/sites")) == {site.pk}
    later = factories.site(first)
    assert ids_of(api.get(f"/servers/{first.pk}/sites")) == {site.pk, later.pk}
    assert api.get("/servers").json()["data"][0]["sites_count"] == 2


def test_a_chosen_site_does_not_show_its_server_or_its_neighbours(owner: Actor) -> None:
    server = factories.provisioned_server(owner.organization, host_key=Everything(owner).host_key)
    site, neighbour = factories.site(server), factories.site(server)
    api = limited(owner, sites=[site])
    base = f"/servers/{server.pk}"
    assert api.get(base).status_code == 404
    assert ids_of(api.get("/servers")) == set()
    assert ids_of(api.get(f"{base}/sites")) == ids_of(api.get("/sites")) == {site.pk}
    assert api.get(f"{base}/sites?page=2").json()["data"] == []
    assert api.get(f"{base}/sites/{site.pk}").status_code == 200
    assert api.get(f"{base}/sites/{neighbour.pk}").status_code == 404
    assert api.put(f"{base}/sites/{site.pk}", {"branch": "next"}).status_code == 200
    deployed = api.post(f"{base}/sites/{site.pk}/deploy")
    assert deployed.status_code == 202
    job = deployed.json()["job"]["id"]
    assert api.get(f"/jobs/{job}").status_code == api.get(f"/jobs/{job}/log").status_code == 200
    assert api.post(f"{base}/sites", NEW_SITE).status_code == 404


def test_no_limit_beyond_what_is_chosen(owner: Actor, api: ApiClient) -> None:
    server = factories.server(owner.organization)
    assert ids_of(api.get("/servers")) == {server.pk}
    nothing_left = limited(owner, servers=[server])
    Server.objects.all().delete()
    assert ids_of(nothing_left.get("/servers")) == ids_of(nothing_left.get("/sites")) == set()


def test_jobs_of_the_organization_are_not_there(owner: Actor) -> None:
    everything = Everything(owner)
    api = limited(owner, servers=[everything.server])
    Job.objects.filter(pk=everything.job.pk).update(subject_type="organization", subject_id=owner.organization.pk)
    for path in ("", "/log"):
        assert api.get(f"/jobs/{everything.job.pk}{path}").status_code == 404
    assert api.post(f"/jobs/{everything.job.pk}/cancel").status_code == 404
    assert everything.job.pk not in ids_of(api.get("/jobs"))


def test_the_job_that_removes_a_chosen_site_can_be_followed_to_its_end(owner: Actor) -> None:
    everything = Everything(owner)
    api = limited(owner, sites=[everything.site])
    job = delete_site(owner, site=everything.site)
    assert job is not None
    everything.site.delete()
    Job.objects.filter(pk=job.pk).update(status=JobStatus.SUCCEEDED)
    assert api.get(f"/jobs/{job.pk}").json()["data"]["status"] == "succeeded"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/instances", {**NEW_SITE, "server_id": "<server>"}),
        ("/errors", {"message": "x", "site_id": "<site>"}),
        ("/activity/events", {"events": [{"kind": "x.y", "site_id": "<site>"}]}),
        ("/scripts/<script>/run", {"servers": ["<server>"], "parameters": {"API_TOKEN": "mk_4f9a0c7de1b2"}}),
        ("/tokens", {"name": "narrower", "servers": ["<server>"]}),
        ("/tokens", {"name": "narrower", "sites": ["<site>"]}),
    ],
)
def test_a_body_cannot_name_what_it_does_not_see(path: str, body: dict[str, Any], owner: Actor) -> None:
    chosen, hidden = Everything(owner), Everything(owner)
    api = limited(owner, sites=[chosen.site])
    answers = []
    for server, site in ((hidden.server.pk, hidden.site.pk), (new_id(), new_id())):
        filled = _filled([path, body], {"<script>": chosen.script.pk, "<server>": server, "<site>": site})
        answers.append(api.post(*filled))
    assert [answer.status_code for answer in answers] == [422, 422]
    assert answers[0].content == answers[1].content


def _filled(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(part, ids) for name, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, ids) for part in value]
    for name, pk in ids.items():
        value = value.replace(name, pk)
    return value


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/servers", {"provider": "custom", "name": "web-9", "ip_address": "203.0.113.9"}),
        ("POST", "/projects", {"name": "Shop"}),
        ("POST", "/scripts", {"name": "Shop", "body": "true"}),
        ("PUT", "/scripts/{scripts}", {"body": "true"}),
        ("DELETE", "/scripts/{scripts}", None),
        ("POST", "/teams", {"name": "Shop"}),
        ("PATCH", "/teams/{teams}", {"name": "Shop"}),
    ],
)
def test_what_reaches_beyond_its_limits_is_refused_with_the_reason(
    method: str, path: str, body: Any, owner: Actor
) -> None:
    everything = Everything(owner)
    api = limited(owner, servers=[everything.server])
    response = api.call(method, path.format(**everything.ids), body)
    assert response.status_code == 403
    assert "limited to" in response.json()["message"]
    assert "sees the whole organization" in response.json()["hint"]
    assert Server.objects.count() == 1


def test_it_sees_only_tokens_that_see_no_more(owner: Actor) -> None:
    everything = Everything(owner)
    server, site = everything.server, factories.site(factories.server(owner.organization))
    wide, _ = create_token(owner, name="wide", servers=[server.pk], sites=[site.pk])
    narrow, _ = create_token(owner, name="narrow", sites=[everything.site.pk])
    api = limited(owner, servers=[server])
    itself = Token.objects.get(name="limited")
    assert ids_of(api.get("/tokens")) == {narrow.pk, itself.pk}
    assert api.delete(f"/tokens/{wide.pk}").status_code == 404
    assert api.delete(f"/tokens/{narrow.pk}").status_code == 204
    assert api.post("/logout").status_code == 200


def test_a_token_that_it_makes_is_limited_as_it_is(owner: Actor) -> None:
    server = factories.server(owner.organization)
    factories.server(owner.organization)
    made = limited(owner, servers=[server]).post("/tokens", {"name": "child"})
    assert ids_of(ApiClient(made.json()["token"]).get("/servers")) == {server.pk}


def test_a_key_that_sees_more_cannot_be_changed_or_rotated(owner: Actor) -> None:
    server = factories.server(owner.organization)
    key, _ = create_api_key(owner, name="whole", permissions=["servers:read"])
    api = limited(owner, servers=[server])
    assert api.call("PATCH", f"/api-keys/{key.key_id}", {"servers": [server.pk]}).status_code == 404
    assert api.post(f"/api-keys/{key.key_id}/rotate").status_code == 404


def test_a_replay_shows_a_limited_token_nothing_of_others(owner: Actor, api: ApiClient) -> None:
    server = factories.server(owner.organization)
    body = {**NEW_SITE, "server_id": server.pk}
    assert api.post("/instances", body, idempotency_key="once").status_code == 201
    blind = limited(owner, servers=[factories.server(owner.organization)])
    refused = blind.post("/instances", body, idempotency_key="once")
    assert refused.status_code == 422
    assert "Idempotency-Replayed" not in refused


def test_a_limited_token_s_own_requests_are_replayed(owner: Actor) -> None:
    server = factories.server(owner.organization)
    body = {**NEW_SITE, "server_id": server.pk}
    api = limited(owner, servers=[server])
    first, again = (api.post("/instances", body, idempotency_key="once") for _ in range(2))
    assert first.json() == again.json()
    assert again["Idempotency-Replayed"] == "true"
