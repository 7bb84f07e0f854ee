"""What only Google Cloud DNS does: a signed assertion, a token that is kept, one named zone, atomic changes."""

import json
from collections.abc import Iterator

import pytest

from providers.clients import oauth
from providers.dns.gcpdns import GoogleCloudDns
from providers.errors import Conflict, InvalidCredential
from tests.contract.dns import gcpdns as fixture
from tests.contract.state import DnsState
from tests.contract.vendor import Call, Reply, Vendor, standing_in

NAME = "_acme-challenge.example.com"


@pytest.fixture
def state() -> DnsState:
    return DnsState()


@pytest.fixture
def vendors(state: DnsState) -> Iterator[list[Vendor]]:
    found = fixture.vendors(state)
    with standing_in(*found):
        yield found


@pytest.fixture
def provider(vendors: list[Vendor]) -> GoogleCloudDns:
    return GoogleCloudDns(fixture.VALUES)


def test_the_key_file_with_its_zone_is_taken_as_one_text() -> None:
    values = GoogleCloudDns.parse(fixture.ONE_STRING)
    assert values["managed_zone"] == "zone-1"
    assert json.loads(values["key_file"]) == fixture.ACCOUNT


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("secret", "no JSON"),
        ("[]", "not the key of a service account"),
        ('{"type": "authorized_user"}', "not the key of a service account"),
        ('{"type": "service_account", "client_email": "a@b"}', "has no private_key"),
    ],
)
def test_what_is_no_key_file_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        GoogleCloudDns.parse(text)
    with pytest.raises(InvalidCredential, match=reason):
        GoogleCloudDns({"key_file": text}).verify()


def test_a_damaged_private_key_is_named(vendors: list[Vendor]) -> None:
    account = {**fixture.ACCOUNT, "private_key": fixture.ACCOUNT["private_key"][:200]}
    with pytest.raises(InvalidCredential, match="private key in the key file is damaged"):
        GoogleCloudDns({"key_file": json.dumps(account)}).verify()


def test_a_key_that_google_no_longer_knows(provider: GoogleCloudDns, vendors: list[Vendor]) -> None:
    body = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
    vendors[1].on("POST", "/token", (400, body))
    with pytest.raises(InvalidCredential, match=r"\(400\): Invalid JWT Signature"):
        provider.verify()


def test_a_token_is_kept_until_it_ends(
    provider: GoogleCloudDns, vendors: list[Vendor], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    list(provider.zones())
    provider.find_zone(NAME)
    assert len(vendors[1].calls) == 1
    now += 3599 - oauth.MARGIN + 1
    provider.find_zone(NAME)
    assert len(vendors[1].calls) == 2


def test_a_named_zone_needs_no_list(vendors: list[Vendor], state: DnsState) -> None:
    provider = GoogleCloudDns({**fixture.VALUES, "managed_zone": "zone-1"})
    vendors[0].on("GET", fixture.ZONES, fixture.error(403, "Forbidden", "forbidden"))
    assert [zone.name for zone in provider.zones()] == ["example.com"]
    provider.ensure_record(provider.find_zone(f"_acme-challenge.shop.{NAME}"), NAME, "TXT", "one")
    assert state.values("example.com", NAME) == ["one"]
    assert provider.verify().account == fixture.ACCOUNT["client_email"]


def test_a_write_of_somebody_else_in_between_is_kept(
    provider: GoogleCloudDns, vendors: list[Vendor], state: DnsState
) -> None:
    zone = provider.find_zone(NAME)
    state.add("example.com", NAME, "TXT", "first")

    def beaten(call: Call) -> Reply:
        vendors[0].on("POST", f"{fixture.ZONES}/([^/]+)/changes", lambda call: fixture.change(state, call))
        state.add("example.com", NAME, "TXT", "in between")
        return fixture.change(state, call)

    vendors[0].on("POST", f"{fixture.ZONES}/([^/]+)/changes", beaten)
    provider.ensure_record(zone, NAME, "TXT", "ours")
    assert state.values("example.com", NAME) == ["first", "in between", "ours"]


def test_neighbours_are_written_back_as_they_were(
    provider: GoogleCloudDns, vendors: list[Vendor], state: DnsState
) -> None:
    zone = provider.find_zone(NAME)
    split = {"name": f"{NAME}.", "type": "TXT", "ttl": 900, "rrdatas": ['"a long" " text"', "bare"]}
    vendors[0].on("GET", f"{fixture.ZONES}/([^/]+)/rrsets", (200, {"rrsets": [split]}))
    vendors[0].on("POST", f"{fixture.ZONES}/([^/]+)/changes", (200, {"status": "pending"}))
    provider.ensure_record(zone, NAME, "TXT", "ours")
    assert vendors[0].calls[-1].json == {
        "deletions": [split],
        "additions": [{**split, "rrdatas": ['"a long" " text"', "bare", '"ours"']}],
    }


def test_a_routing_policy_is_left_alone(provider: GoogleCloudDns, vendors: list[Vendor]) -> None:
    zone = provider.find_zone(NAME)
    policy = {"name": f"{NAME}.", "type": "A", "ttl": 300, "routingPolicy": {"geo": {"items": []}}}
    vendors[0].on("GET", f"{fixture.ZONES}/([^/]+)/rrsets", (200, {"rrsets": [policy]}))
    with pytest.raises(Conflict, match="routing policy"):
        provider.ensure_record(zone, NAME, "A", "192.0.2.1")


def test_a_second_alias_is_refused(provider: GoogleCloudDns, state: DnsState) -> None:
    state.add("example.com", NAME, "CNAME", "a.example.net.")
    with pytest.raises(Conflict, match=r"an alias of a\.example\.net already"):
        provider.ensure_record(provider.find_zone(NAME), NAME, "CNAME", "b.example.net")
