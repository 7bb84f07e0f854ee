"""Zones and their records under /api/v1."""

from typing import Any

import orjson
import pytest

from audit.models import AuditEvent
from deploynix.abilities import ROLES
from deploynix.actor import Actor
from deploynix.ids import new_id
from domains.contents import Value
from domains.lookup import LookupFailed, NoSuchDomain
from jobs.models import Job
from jobs.models import Status as JobStatus
from providers.actions import create_credential
from providers.base import Kind
from providers.contracts.dns import EDIT, READ
from providers.models import Credential
from tests import factories
from tests.apiclient import ApiClient, Response
from tests.contract.state import DnsState
from tests.contract.vendor import Vendor
from tests.domains.zones.conftest import SECRET, WWW, NameServers, run_latest
from tokens.actions import create_api_key, create_token

pytestmark = pytest.mark.django_db
ADDED = {"name": "www", "type": "A", "value": "203.0.113.2"}
ID = Value(WWW, "A", "203.0.113.1").id


def read(response: Response, status: int = 200) -> Any:
    assert response.status_code == status, response.content
    assert SECRET.encode() not in response.content
    return orjson.loads(response.content)


def address(credential: Credential, rest: str = "/example.com/records") -> str:
    return f"/dns-providers/{credential.pk}/zones{rest}"


def test_zones_are_listed_by_pages_and_searched(api: ApiClient, dns: Credential) -> None:
    found = read(api.get(address(dns, "?per_page=1")))
    assert found["data"] == [{"name": "example.com"}]
    assert found["meta"]["total"] == 2
    assert read(api.get(address(dns, "?search=SHOP")))["data"] == [{"name": "shop.example.com"}]


def test_records_are_listed_and_narrowed(api: ApiClient, dns: Credential) -> None:
    rows = read(api.get(address(dns)))["data"]
    assert [(row["name"], row["type"], row["value"], row["ttl"]) for row in rows] == [
        ("example.com", "TXT", "v=spf1 -all", 3600),
        ("*.shop.example.com", "CNAME", "target.example.net", 300),
        (WWW, "A", "203.0.113.1", 300),
    ]
    assert rows[2]["id"] == ID
    for query, names in (
        ("type=TXT", ["example.com"]),
        ("search=shop", ["*.shop.example.com"]),
        (f"name={WWW}&type=A", [WWW]),
        ("name=ww.example.com", []),
    ):
        assert [row["name"] for row in read(api.get(f"{address(dns)}?{query}"))["data"]] == names
    assert "type" in read(api.get(f"{address(dns)}?type=MX"), 422)["errors"]


def test_a_provider_is_asked_once_in_a_while(api: ApiClient, dns: Credential, vendor: Vendor) -> None:
    for query in ("", "?search=www", "?type=A"):
        read(api.get(f"{address(dns)}{query}"))
    assert [call.path.rpartition("/")[2] for call in vendor.calls] == ["zones", "dns_records"]


def test_a_record_is_added_beside_its_neighbours(api: ApiClient, dns: Credential, state: DnsState) -> None:
    read(api.get(address(dns)))
    made = read(api.post(address(dns), {**ADDED, "ttl": 600}), 202)
    value = Value(WWW, "A", "203.0.113.2")
    assert made["data"] == {"id": value.id, "name": WWW, "type": "A", "value": "203.0.113.2"}
    assert made["message"] == "The record is being added."
    job = run_latest()
    assert (job.pk, job.status, job.label) == (made["job"]["id"], JobStatus.SUCCEEDED, f"Add A {WWW}")
    assert state.values("example.com", WWW, "A") == ["203.0.113.1", "203.0.113.2"]
    rows = read(api.get(f"{address(dns)}?name={WWW}"))["data"]
    assert [(row["value"], row["ttl"]) for row in rows] == [("203.0.113.1", 300), ("203.0.113.2", 600)]
    event = AuditEvent.objects.get(event="credential.record-added")
    assert event.target == "Cloudflare"
    assert event.changes["value"] == [None, "203.0.113.2"]


def test_one_value_is_removed_and_its_neighbours_stay(api: ApiClient, dns: Credential, state: DnsState) -> None:
    state.add("example.com", WWW, "A", "203.0.113.2")
    made = read(api.delete(f"{address(dns)}/{ID}"), 202)
    assert made["data"]["value"] == "203.0.113.1"
    assert run_latest().status == JobStatus.SUCCEEDED
    assert state.values("example.com", WWW, "A") == ["203.0.113.2"]
    assert AuditEvent.objects.get(event="credential.record-removed").changes["name"] == [WWW, None]
    read(api.delete(f"{address(dns)}/{ID}"), 202)
    assert run_latest().status == JobStatus.SUCCEEDED


@pytest.mark.parametrize("text", ["caf\udce9 \x01", "grüße", "x" * 2000, "a/b?c"])
def test_any_text_can_be_seen_and_removed(api: ApiClient, dns: Credential, state: DnsState, text: str) -> None:
    """Bytes that are no text come from others, who write them; they are shown as well as may be."""
    state.add("example.com", "odd.example.com", "TXT", text)
    (row,) = read(api.get(f"{address(dns)}?search=odd"))["data"]
    assert row["value"] == {"caf\udce9 \x01": r"caf\xe9 \x01"}.get(text, text)
    read(api.delete(f"{address(dns)}/{row['id']}"), 202)
    assert run_latest().status == JobStatus.SUCCEEDED
    assert state.values("example.com", "odd.example.com") == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"type": "MX"}, "type"),
        ({"value": "2001:db8::1"}, "value"),
        ({"value": "here"}, "value"),
        ({"type": "CNAME", "value": "no name"}, "value"),
        ({"type": "TXT", "value": "two\nlines"}, "value"),
        ({"name": "a..b"}, "name"),
        ({"name": "x" * 250}, "name"),
        ({"ttl": 5}, "ttl"),
        ({"priority": 10}, "priority"),
    ],
)
def test_what_makes_no_sense_changes_nothing(
    api: ApiClient, dns: Credential, changes: dict[str, Any], field: str
) -> None:
    before = Job.objects.count()
    assert list(read(api.post(address(dns), {**ADDED, **changes}), 422)["errors"]) == [field]
    assert Job.objects.count() == before
    assert not AuditEvent.objects.filter(event="credential.record-added").exists()


def test_what_a_provider_refuses_is_told_with_its_fix(api: ApiClient, dns: Credential, state: DnsState) -> None:
    state.denied = {EDIT}
    refused = read(api.get(address(dns)), 422)
    assert "403" in refused["message"]
    assert "Zone → DNS → Edit" in refused["hint"]
    state.denied = {READ}
    assert "Zone → Zone → Read" in read(api.get(address(dns, "")), 422)["hint"]


def test_a_provider_that_fails_is_not_our_failure(api: ApiClient, dns: Credential, vendor: Vendor) -> None:
    vendor.on("GET", "/zones", (400, {"errors": [{"message": "No."}]}))
    assert read(api.get(address(dns, "")), 502)["error"]["code"] == "provider_error"
    vendor.on("GET", "/zones", (200, "<html>"))
    assert read(api.get(address(dns, "")), 503)["error"]["code"] == "provider_unavailable"


def test_a_job_that_is_refused_says_why(api: ApiClient, dns: Credential, state: DnsState) -> None:
    read(api.post(address(dns), ADDED), 202)
    state.denied = {EDIT}
    job = run_latest()
    assert job.status == JobStatus.FAILED
    assert "403" in job.error
    assert "Zone → DNS → Edit" in job.hint


def test_a_value_that_the_provider_does_not_show_is_no_success(
    api: ApiClient, dns: Credential, state: DnsState, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(api.post(address(dns), ADDED), 202)
    monkeypatch.setattr(state, "add", lambda *row: DnsState().add(*row))
    job = run_latest()
    assert job.status != JobStatus.SUCCEEDED
    assert "does not show the value" in f"{job.error}{''.join(job.log.values_list('text', flat=True))}"


def test_a_credential_that_is_gone_ends_the_job(api: ApiClient, dns: Credential) -> None:
    read(api.post(address(dns), ADDED), 202)
    Credential.objects.all().delete()
    assert run_latest().error == "The credential has been removed."


@pytest.mark.parametrize("zone", ["elsewhere.org", "ww.example.com"])
def test_a_zone_that_the_credential_does_not_hold(api: ApiClient, dns: Credential, zone: str) -> None:
    assert f"No zone {zone} is there" in read(api.get(address(dns, f"/{zone}/records")), 404)["message"]


def test_name_servers_are_asked(api: ApiClient, dns: Credential, name_servers: NameServers) -> None:
    name_servers.values["ns2.example.net"] = None
    rows = read(api.get(address(dns, f"/example.com/propagation?name={WWW}&type=A")))["data"]
    assert [(row["server"], row["is_authoritative"], row["values"]) for row in rows] == [
        ("ns1.example.net", True, ["203.0.113.1"]),
        ("ns2.example.net", True, None),
        ("Quad9", False, []),
    ]
    assert rows[1]["error"] == "ns2.example.net does not answer."


def test_a_failed_lookup_is_not_our_failure(
    api: ApiClient, dns: Credential, name_servers: NameServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(name: str) -> None:
        raise LookupFailed("It cannot be looked up.")

    monkeypatch.setattr("domains.contents.authority_of", fail)
    assert read(api.get(address(dns, "/example.com/propagation")), 502)["error"]["code"] == "lookup_failed"


def test_a_domain_that_nobody_has_registered_blames_no_field(
    api: ApiClient, dns: Credential, name_servers: NameServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(name: str) -> None:
        raise NoSuchDomain(f"{name} belongs to no domain that has name servers.")

    monkeypatch.setattr("domains.contents.authority_of", fail)
    answer = read(api.get(address(dns, "/example.com/propagation")), 422)
    assert answer["errors"] == {}
    assert answer["error"]["code"] == "no_such_domain"


def test_what_is_foreign_or_none_is_not_found(
    api: ApiClient, outsider_api: ApiClient, owner: Actor, dns: Credential, name_servers: NameServers
) -> None:
    token = {"api_token": "dop_v1_" + "0" * 64}
    elsewhere = create_credential(owner, kind=Kind.SERVER, provider="digitalocean", name="Cloud", values=token)
    for rest in ("", "/example.com/records", "/example.com/propagation"):
        assert outsider_api.get(address(dns, rest)).status_code == 404, rest
        assert api.get(address(elsewhere, rest)).status_code == 404, rest
    for rest in ("/example/records", f"/{new_id()}/records", "/example.com/propagation?name=www.elsewhere.org"):
        assert api.get(address(dns, rest)).status_code == 404, rest
    assert outsider_api.post(address(dns), ADDED).status_code == 404
    others = [("www.elsewhere.org", "A", "203.0.113.1"), (WWW, "MX", "x"), ("WWW.example.com", "A", "1")]
    others += [("a\0.example.com", "A", "1"), ("a\udce9.example.com", "A", "1")]
    for pk in [new_id(), "e30", "W10", "WzEsMiwzXQ", *(Value(*value).id for value in others)]:
        assert api.delete(f"{address(dns)}/{pk}").status_code == 404, pk
    assert outsider_api.delete(f"{address(dns)}/{ID}").status_code == 404


def test_who_may_only_look(api: ApiClient, member_api: ApiClient, dns: Credential) -> None:
    read(member_api.get(address(dns)))
    for response in (member_api.post(address(dns), ADDED), member_api.delete(f"{address(dns)}/{ID}")):
        assert "provider:update" in read(response, 403)["message"]


def test_a_token_that_is_limited_to_servers_changes_no_zone(owner: Actor, dns: Credential) -> None:
    server = factories.server(owner.organization)
    _, text = create_token(owner, name="limited", abilities=["provider:read", "provider:update"], servers=[server.pk])
    limited = ApiClient(text)
    assert limited.post(address(dns), ADDED).status_code == 403
    assert limited.delete(f"{address(dns)}/{ID}").status_code == 403


def test_a_test_key_asks_nobody(owner: Actor, dns: Credential, vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    # No permission of test keys opens this yet.
    monkeypatch.setattr("tokens.authentication.opened", lambda prefix, words, role: ROLES[role])
    _, text = create_api_key(owner, name="test", environment="test", permissions=["servers:read"])
    made = read(ApiClient(text).post(address(dns), ADDED), 202)
    assert made["job"]["url"] is None
    assert vendor.calls == []
    assert not Job.objects.filter(kind="add_record").exists()
