"""Providers, what they offer, and their credentials under /api/v1."""

import sys
from typing import Any

import orjson
import pytest
from pytest_django import DjangoAssertNumQueries

from deploynix.actor import Actor
from jobs.models import Job
from jobs.models import Status as JobStatus
from jobs.runner import run_job
from providers import uses
from providers.base import Kind
from providers.models import Credential
from providers.registry import provider_of
from providers.uses import Use, register_user
from tests.apiclient import ApiClient, Response
from tests.providers.asking import TOKEN, connect

pytestmark = pytest.mark.django_db
BODY = {"kind": "server", "provider": "nimbus", "name": "Main", "values": {"api_token": TOKEN}}
CREDENTIALS = "/providers/credentials"


def read(response: Response, status: int = 200) -> Any:
    assert response.status_code == status, response.content
    assert TOKEN.encode() not in response.content
    return orjson.loads(response.content) if response.content else None


def test_every_provider_tells_all_that_a_form_needs(api: ApiClient) -> None:
    rows = {row["provider"]: row for row in read(api.get("/providers?per_page=100"))["data"]}
    nimbus = rows["nimbus"]
    assert {row["kind"] for row in rows.values()} == {"server"}
    assert [field["name"] for field in nimbus["fields"]] == ["api_token", "project", "region"]
    assert nimbus["fields"][0] == {
        "name": "api_token",
        "label": "API Token",
        "secret": True,
        "required": True,
        "help_text": "Shown once.",
        "pattern": "[a-z0-9-]{6,}",
        "choices": [],
        "default": "",
    }
    assert nimbus["fields"][2]["choices"][0] == {"value": "ams1", "label": "Amsterdam"}
    assert nimbus["permissions"][2]["optional"] is True
    assert nimbus["gates"] == ["The account must have a payment method."]
    assert "cloudflare" in {row["provider"] for row in read(api.get("/providers?kind=dns&per_page=100"))["data"]}
    assert read(api.get("/providers?kind=mail"), 422)["errors"] == {"kind": ["The selected kind is invalid."]}
    page = read(api.get("/providers?kind=dns&per_page=1&page=2"))
    assert (len(page["data"]), page["meta"]["current_page"]) == (1, 2)
    assert page["meta"]["total"] > 1


def test_add_show_list_and_change(api: ApiClient) -> None:
    made = read(api.post(CREDENTIALS, BODY), 201)
    data = made["data"]
    assert (data["settings"], data["status"], data["findings"]) == ({"project": "main"}, "unchecked", [])
    assert made["job"]["url"].endswith(f"/api/v1/jobs/{made['job']['id']}")
    assert read(api.get(f"{CREDENTIALS}/{data['id']}"))["data"] == data
    run_job(made["job"]["id"])
    (row,) = read(api.get(f"{CREDENTIALS}?kind=server&status=ok"))["data"]
    assert row["account"] == "ops@nimbus.test"
    assert row["expires_at"] == "2031-05-01T12:00:00Z"
    assert [found["verdict"] for found in row["findings"]] == ["granted", "granted", "denied"]
    assert read(api.get(f"{CREDENTIALS}?kind=git"))["data"] == []

    same = read(api.put(f"{CREDENTIALS}/{data['id']}", row | {"name": "Renamed"}))
    assert (same["data"]["name"], same["data"]["status"], same["job"]) == ("Renamed", "ok", None)
    other = read(api.put(f"{CREDENTIALS}/{data['id']}", {"values": {"api_token": "", "project": "next"}}))
    assert (other["data"]["settings"], other["data"]["status"]) == ({"project": "next"}, "unchecked")
    assert Job.objects.filter(pk=other["job"]["id"], kind="verify_credential").exists()
    assert Credential.objects.get().secrets == {"api_token": TOKEN}


@pytest.mark.parametrize(
    ("field", "sent"),
    [
        ("provider", {"provider": "twofold"}),
        ("kind", {"kind": "mail"}),
        ("name", {"name": ""}),
        ("values.api_token", {"values": {}}),
        ("values.api_token", {"values": {"api_token": "SHOUTED-canary"}}),
        ("values.region", {"values": {"api_token": TOKEN, "region": "mars1"}}),
        ("values.colour", {"values": {"api_token": TOKEN, "colour": "red"}}),
        ("values", {"values": "api_token"}),
        ("secret", {"secret": TOKEN}),
    ],
)
def test_bad_input_names_the_field(api: ApiClient, field: str, sent: dict[str, Any]) -> None:
    answer = read(api.post(CREDENTIALS, BODY | sent), 422)
    assert list(answer["errors"]) == [field]
    assert "canary" not in str(answer)
    assert not Credential.objects.exists()


def test_a_credential_in_one_string(api: ApiClient) -> None:
    body = {"kind": "dns", "provider": "twofold", "name": "Zones"}
    answer = read(api.post(CREDENTIALS, body | {"credential": "nothing"}), 422)
    assert answer["errors"] == {
        "credential": ["This is no Twofold API Key: write it as apikey:secretapikey."],
    }
    made = read(api.post(CREDENTIALS, body | {"credential": "one:two"}), 201)["data"]
    read(api.put(f"{CREDENTIALS}/{made['id']}", {"credential": "three:four"}))
    assert Credential.objects.get().secrets == {"api_key": "three", "secret_key": "four"}


def test_verify_and_delete(api: ApiClient, credential: Credential, monkeypatch: pytest.MonkeyPatch) -> None:
    Job.objects.update(status=JobStatus.SUCCEEDED)
    answer = read(api.post(f"{CREDENTIALS}/{credential.pk}/verify"), 202)
    assert answer["message"] == "The credential is being checked."
    run_job(answer["job"]["id"])
    assert read(api.get(f"{CREDENTIALS}/{credential.pk}"))["data"]["status"] == "ok"

    monkeypatch.setattr(uses, "_counters", {**uses._counters, Kind.SERVER: []})
    register_user(Kind.SERVER, lambda credential: [Use("the server web-1")])
    refused = read(api.delete(f"{CREDENTIALS}/{credential.pk}"), 409)
    assert refused["message"] == "Main is used by the server web-1."
    monkeypatch.setattr(uses, "_counters", {Kind.SERVER: []})
    read(api.delete(f"{CREDENTIALS}/{credential.pk}"), 204)
    assert not Credential.objects.exists()


def test_a_viewer_reads_and_an_outsider_sees_nothing(
    member_api: ApiClient, outsider_api: ApiClient, credential: Credential
) -> None:
    path = f"{CREDENTIALS}/{credential.pk}"
    read(member_api.get(path))
    for response in (
        member_api.post(CREDENTIALS, BODY),
        member_api.put(path, {"name": "x"}),
        member_api.post(f"{path}/verify"),
        member_api.delete(path),
    ):
        assert read(response, 403)["error"]["code"] == "insufficient_permissions"
    assert read(outsider_api.get(CREDENTIALS))["data"] == []
    for response in (
        outsider_api.get(path),
        outsider_api.put(path, {"name": "x"}),
        outsider_api.post(f"{path}/verify"),
        outsider_api.delete(path),
    ):
        read(response, 404)
    answer = read(outsider_api.get(f"/providers/nimbus/regions?credential={credential.pk}"), 422)
    assert answer["errors"] == {"credential": ["The selected credential is invalid."]}


def test_a_list_costs_the_same_however_long_it_is(
    owner: Actor, api: ApiClient, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20):
        connect(owner, name=f"Number {number}")
    api.get(CREDENTIALS)
    with django_assert_max_num_queries(4):
        assert len(read(api.get(f"{CREDENTIALS}?per_page=20"))["data"]) == 20


def test_what_a_cloud_offers_is_asked_once_in_a_while(api: ApiClient, credential: Credential) -> None:
    calls = calls_of_nimbus()
    assert [row["slug"] for row in read(api.get("/providers/nimbus/regions"))["data"]] == ["ams1", "fra1"]
    for query in ("?region=fra1", f"?credential={credential.pk}&region=fra1"):
        sizes = read(api.get(f"/providers/nimbus/sizes{query}"))["data"]
    assert sizes == [
        {"slug": "small", "name": "Small", "cpus": 1, "memory": 0.5, "disk": 10, "monthly": "4.50", "currency": "USD"},
        {"slug": "large", "name": "Large", "cpus": 8, "memory": 16, "disk": 320, "monthly": None, "currency": "USD"},
    ]
    assert read(api.get("/providers/nimbus/images"))["data"][0] == {"slug": "debian-13", "name": "Debian 13"}
    assert calls == ["regions", "sizes fra1", "images ams1"]
    api.put(f"{CREDENTIALS}/{credential.pk}", {"values": {"api_token": "another-token"}})
    read(api.get("/providers/nimbus/regions"))
    assert calls[3:] == ["regions"]


def calls_of_nimbus() -> list[str]:
    module = sys.modules[provider_of(Kind.SERVER, "nimbus").__module__]
    calls: list[str] = module.CALLS
    calls.clear()
    return calls


def test_what_a_provider_refuses_is_a_clear_error(api: ApiClient, owner: Actor) -> None:
    answer = read(api.get("/providers/nimbus/regions"), 422)
    assert answer["errors"] == {"credential": ["No such provider is connected yet."]}
    connect(owner, values={"api_token": "limited-token"})
    answer = read(api.get("/providers/nimbus/regions"), 422)
    assert (answer["message"], answer["hint"]) == ("Nimbus answered 403.", "Give it Servers: write.")
    assert answer["error"]["code"] == "missing_permission"
    read(api.get("/providers/twofold/regions"), 404)
    read(api.get("/providers/nimbus/sizes?region=a%20b"), 422)


def test_git_providers_are_credentials_of_their_kind(api: ApiClient, credential: Credential) -> None:
    read(api.get(f"/git-providers/{credential.pk}"), 404)
    body = {"provider": "forge", "name": "Acme", "values": {"token": TOKEN, "base_url": "https://git.acme.test"}}
    made = read(api.post("/git-providers", body), 201)["data"]
    assert (made["kind"], made["settings"]) == ("git", {"base_url": "https://git.acme.test"})
    assert [row["id"] for row in read(api.get("/git-providers"))["data"]] == [made["id"]]
    path = f"/git-providers/{made['id']}"
    assert read(api.put(path, {"name": "Renamed"}))["data"]["name"] == "Renamed"
    assert read(api.get(path))["data"] == read(api.get(f"{CREDENTIALS}/{made['id']}"))["data"]
    read(api.delete(path), 204)
    assert list(Credential.objects.all()) == [credential]
    read(api.put(f"/git-providers/{credential.pk}", {"name": "x"}), 404)
    read(api.delete(f"/git-providers/{credential.pk}"), 404)


def forge(actor: Actor) -> Credential:
    return connect(actor, kind="git", provider="forge", values={"token": TOKEN})


def test_repositories_come_in_the_pages_of_their_provider(
    api: ApiClient, owner: Actor, outsider: Actor, credential: Credential
) -> None:
    path = f"/git-providers/{forge(owner).pk}/repositories"
    first = read(api.get(path))
    assert [row["full_name"] for row in first["data"]] == ["acme/shop-1", "acme/shop-2"]
    second = read(api.get(f"{path}?page={first['next_page']}"))
    assert ([row["id"] for row in second["data"]], second["next_page"]) == (["3"], None)
    found = read(api.get(f"{path}?search=shop-2"))
    assert ([row["id"] for row in found["data"]], found["next_page"]) == (["2"], None)
    for other in (credential, forge(outsider)):
        read(api.get(f"/git-providers/{other.pk}/repositories"), 404)
