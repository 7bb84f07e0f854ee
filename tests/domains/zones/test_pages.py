"""The pages of zones and records, for an owner, a viewer and a stranger."""

import re

import pytest
from django.test import Client

from audit.models import AuditEvent
from deploynix.actor import Actor
from domains.contents import Value
from jobs.models import Job
from providers.actions import create_credential
from providers.base import Kind
from providers.contracts.dns import EDIT
from providers.models import Credential
from tests.contract.state import DnsState
from tests.contract.vendor import Vendor
from tests.domains.zones.conftest import SECRET, WWW, NameServers, connected, run_latest

pytestmark = pytest.mark.django_db
A_VALUE = Value(WWW, "A", "203.0.113.1")
ADDED = {"name": "www", "type": "A", "value": "203.0.113.2", "ttl": "600"}


def text_of(client: Client, address: str, status: int = 200, *, part: bool = False) -> str:
    response = client.get(address, headers={"HX-Request": "true"} if part else {})
    assert response.status_code == status
    page = response.content.decode()
    assert SECRET not in page
    assert "style=" not in page
    assert ("<html" in page) != part
    return page


def address_of(credential: Credential, rest: str = "/example.com") -> str:
    return f"/settings/dns-providers/{credential.pk}/zones{rest}"


def names_in(page: str) -> list[str]:
    return re.findall(r'class="text-reset fw-medium text-break" href="[^"]+/records/[^"]+">([^<]+)<', page)


def test_the_page_of_a_dns_provider_leads_to_zones_and_records(
    owner_client: Client, dns: Credential, vendor: Vendor
) -> None:
    page = text_of(owner_client, dns.get_absolute_url())
    assert f'href="{address_of(dns, "")}"' in page
    page = text_of(owner_client, address_of(dns, ""))
    assert f'hx-get="{address_of(dns, "")}" hx-trigger="load"' in page
    assert f'href="{address_of(dns)}"' in text_of(owner_client, address_of(dns, ""), part=True)
    page = text_of(owner_client, address_of(dns))
    assert f'hx-get="{address_of(dns)}" hx-trigger="load"' in page
    found = text_of(owner_client, address_of(dns), part=True)
    assert names_in(found) == ["example.com", "*.shop.example.com", WWW]
    assert f'href="{address_of(dns)}/records/{A_VALUE.id}"' in found


def test_nobody_is_asked_while_a_page_is_drawn(
    owner_client: Client, dns: Credential, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("domains.contents.authority_of", None)
    for rest in ("", "?q=shop", "/example.com", "/example.com?type=A", f"/example.com/records/{A_VALUE.id}"):
        text_of(owner_client, address_of(dns, rest))
    assert vendor.calls == []


def test_without_javascript_a_link_shows_the_rest(owner_client: Client, dns: Credential) -> None:
    assert '<noscript><a href="?type=A&amp;now=1">' in text_of(owner_client, address_of(dns, "/example.com?type=A"))
    page = text_of(owner_client, address_of(dns, "/example.com?type=A&now=1"))
    assert names_in(page) == [WWW]
    assert 'hx-trigger="load"' not in page


def test_records_are_found_by_name_and_type(owner_client: Client, dns: Credential) -> None:
    for query, names in (("?q=SHOP", ["*.shop.example.com"]), ("?type=TXT", ["example.com"]), ("?type=TXT&q=www", [])):
        assert names_in(text_of(owner_client, address_of(dns, f"/example.com{query}"), part=True)) == names
    assert "No record matches" in text_of(owner_client, address_of(dns, "/example.com?q=nowhere"), part=True)
    assert "No zone matches" in text_of(owner_client, address_of(dns, "?q=nowhere"), part=True)
    # What is no type of ours narrows nothing.
    assert len(names_in(text_of(owner_client, address_of(dns, "/example.com?type=MX"), part=True))) == 3
    assert "10 mail.example.com" not in text_of(owner_client, address_of(dns), part=True)


def test_a_long_zone_has_pages(owner_client: Client, dns: Credential, state: DnsState) -> None:
    for number in range(60):
        state.add("example.com", f"host-{number:02}.example.com", "A", "203.0.113.9")
    first = text_of(owner_client, address_of(dns, "/example.com?q=host"), part=True)
    assert len(names_in(first)) == 50
    assert "?q=host&amp;page=2" in first
    assert len(names_in(text_of(owner_client, address_of(dns, "/example.com?q=host&page=2"), part=True))) == 10


def test_a_record_is_added_and_followed(
    owner_client: Client, dns: Credential, state: DnsState, name_servers: NameServers
) -> None:
    text_of(owner_client, address_of(dns), part=True)
    response = owner_client.post(address_of(dns), ADDED, follow=True)
    page = response.content.decode()
    added = Value(WWW, "A", "203.0.113.2")
    assert response.redirect_chain == [(address_of(dns, f"/example.com/records/{added.id}"), 302)]
    assert f"A {WWW} is being added." in page
    assert f"Add A {WWW}" in text_of(owner_client, address_of(dns, f"/example.com/records/{added.id}"), part=True)
    part = text_of(owner_client, address_of(dns), part=True)
    assert 'hx-trigger="every 2s"' in part
    assert "203.0.113.2" not in part

    run_latest()
    part = text_of(owner_client, address_of(dns), part=True)
    assert 'hx-trigger="every 2s"' not in part
    assert "203.0.113.2" in part
    assert state.values("example.com", WWW, "A") == ["203.0.113.1", "203.0.113.2"]
    assert AuditEvent.objects.filter(event="credential.record-added").count() == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"value": "here"}, "is no address for a record of the type A"),
        ({"name": "a..b"}, "is no name below example.com"),
        ({"ttl": "1"}, "greater than or equal to 60"),
        ({"type": "MX"}, "Select a valid choice"),
    ],
)
def test_what_is_refused_stands_at_its_field(
    owner_client: Client, dns: Credential, changes: dict[str, str], reason: str
) -> None:
    before = Job.objects.count()
    response = owner_client.post(address_of(dns), {**ADDED, **changes})
    assert response.status_code == 422
    page = response.content.decode()
    assert reason in page
    assert 'hx-trigger="load"' in page
    assert Job.objects.count() == before


def test_a_change_that_failed_says_why(owner_client: Client, dns: Credential, state: DnsState) -> None:
    owner_client.post(address_of(dns), ADDED)
    state.denied = {EDIT}
    run_latest()
    state.denied = set()
    assert "Cloudflare answered 403" in text_of(owner_client, address_of(dns), part=True)


def test_what_the_provider_refuses_is_said_in_the_part(owner_client: Client, dns: Credential, state: DnsState) -> None:
    state.denied = {EDIT}
    part = text_of(owner_client, address_of(dns), part=True)
    assert "Cloudflare answered 403" in part
    assert "Zone → DNS → Edit" in part
    assert "No zone elsewhere.org is there" in text_of(owner_client, address_of(dns, "/elsewhere.org"), part=True)


def test_each_name_server_is_shown_until_all_answer(
    owner_client: Client, dns: Credential, name_servers: NameServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("domains.contents.ANSWERS_SECONDS", 0)
    address = address_of(dns, f"/example.com/records/{A_VALUE.id}")
    assert f'hx-get="{address}" hx-trigger="load"' in text_of(owner_client, address)
    name_servers.values |= {"ns2.example.net": (), "ns3.example.net": None}
    part = text_of(owner_client, address, part=True)
    assert f'hx-get="{address}" hx-trigger="every 5s"' in part
    assert "1 of 3 name servers answer it" in part
    for text in ("ns1.example.net", "Seen", "Not yet", "ns3.example.net does not answer.", "Quad9"):
        assert text in part
    name_servers.values = {"ns1.example.net": ("203.0.113.1",), "ns2.example.net": ("203.0.113.1", "203.0.113.2")}
    assert "All name servers answer it" in text_of(owner_client, address, part=True)
    name_servers.values = {"ns1.example.net": ()}
    assert "No name server answers it" in text_of(owner_client, address, part=True)


def test_a_record_is_removed_once_its_name_is_typed(owner_client: Client, dns: Credential, state: DnsState) -> None:
    address = address_of(dns, f"/example.com/records/{A_VALUE.id}")
    assert f'action="{address}/remove"' in text_of(owner_client, address)
    refused = owner_client.post(f"{address}/remove", {"confirm": "www"}, follow=True)
    assert f"Type {WWW} to confirm." in refused.content.decode()
    response = owner_client.post(f"{address}/remove", {"confirm": WWW}, follow=True)
    assert response.redirect_chain == [(address_of(dns), 302)]
    assert f"A {WWW} is being removed." in response.content.decode()
    run_latest()
    assert state.values("example.com", WWW, "A") == []


def test_a_viewer_sees_and_is_told_what_is_missing(member_client: Client, dns: Credential) -> None:
    address = address_of(dns, f"/example.com/records/{A_VALUE.id}")
    assert names_in(text_of(member_client, address_of(dns), part=True))
    for page in (text_of(member_client, address_of(dns)), text_of(member_client, address)):
        assert "needs the ability provider:update" in page
    assert member_client.post(address_of(dns), ADDED).status_code == 403
    assert member_client.post(f"{address}/remove", {"confirm": WWW}).status_code == 403
    assert not Job.objects.filter(kind__in=("add_record", "remove_record")).exists()


def test_what_is_foreign_or_none_is_not_found(
    owner: Actor, outsider: Actor, owner_client: Client, dns: Credential, vendor: Vendor
) -> None:
    foreign = connected(outsider)
    token = {"api_token": "dop_v1_" + "0" * 64}
    cloud = create_credential(owner, kind=Kind.SERVER, provider="digitalocean", name="Cloud", values=token)
    record = f"/example.com/records/{A_VALUE.id}"
    for credential in (foreign, cloud):
        for rest in ("", "/example.com", record):
            text_of(owner_client, address_of(credential, rest), 404)
        assert owner_client.post(address_of(credential), ADDED).status_code == 404
        assert owner_client.post(address_of(credential, f"{record}/remove"), {"confirm": WWW}).status_code == 404
    for rest in ("/example", "/example.com/records/none", f"/elsewhere.org/records/{A_VALUE.id}"):
        text_of(owner_client, address_of(dns, rest), 404)
    assert vendor.calls == []
