"""DNSimple against the answers that it publishes itself: https://github.com/dnsimple/dnsimple-developer"""

from collections.abc import Iterator

import pytest

from providers.contracts.dns import Record, Zone
from providers.dns.dnsimple import DnSimple
from providers.errors import InvalidCredential, NotFound, ProviderError, Unavailable
from tests.contract.vendor import Vendor, recording, standing_in

VALUES = {"access_token": "dnsimple_a_" + "d" * 32}
ZONE = Zone("example.com", "example.com")
RECORDS = "/1/zones/example.com/records"


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    """The account of its answers is number 1."""
    found = Vendor(DnSimple.base_url, lambda call: True, "dnsimple")
    found.on("GET", "/whoami", answer("whoami/success-account.http"))
    with standing_in(found):
        yield found


@pytest.fixture
def dnsimple(vendor: Vendor) -> DnSimple:
    return DnSimple(VALUES)


def answer(name: str) -> tuple[int, str]:
    status, body, *_ = recording(f"dnsimple-http/fixtures/v2/api/{name}")
    return status, str(body)


def test_a_token_of_a_user_is_refused(vendor: Vendor, dnsimple: DnSimple) -> None:
    vendor.on("GET", "/whoami", answer("whoami/success-user.http"))
    with pytest.raises(InvalidCredential, match="user token") as failure:
        dnsimple.verify()
    assert "account token" in failure.value.hint


def test_zones_are_those_of_the_account(vendor: Vendor, dnsimple: DnSimple) -> None:
    vendor.on("GET", "/1/zones", answer("listZones/success.http"))
    assert [zone.name for zone in dnsimple.zones()] == ["example-alpha.com", "example-beta.com"]


def test_a_zone_is_found_by_name(vendor: Vendor, dnsimple: DnSimple) -> None:
    vendor.on("GET", "/1/zones/example-alpha.com", answer("getZone/success.http"))
    vendor.on("GET", "/1/zones/example.org", answer("notfound-zone.http"))
    assert dnsimple.zone_named("example-alpha.com") == Zone("example-alpha.com", "example-alpha.com")
    assert dnsimple.zone_named("example.org") is None


def test_values_of_a_name_are_read(vendor: Vendor, dnsimple: DnSimple) -> None:
    vendor.on("GET", RECORDS, answer("listZoneRecords/success.http"))
    found = dnsimple.records(ZONE, "example.com", "NS")
    assert [record.value for record in found] == [f"ns{number}.dnsimple.com" for number in range(1, 5)]
    assert dnsimple.records(ZONE, "www.example.com", "NS") == []
    assert list(dnsimple.all_records(ZONE)) == []


def test_a_value_is_added_and_removed(vendor: Vendor, dnsimple: DnSimple) -> None:
    vendor.on("POST", RECORDS, answer("createZoneRecord/created.http"))
    dnsimple.add_record(ZONE, "www.example.com", "A", "127.0.0.1", 600)
    assert vendor.calls[-1].json == {"name": "www", "type": "A", "content": "127.0.0.1", "ttl": 600}
    vendor.on("POST", RECORDS, answer("createZoneRecord/created-apex.http"))
    dnsimple.add_record(ZONE, "example.com", "TXT", 'a "text"', 600)
    assert vendor.calls[-1].json == {"name": "", "type": "TXT", "content": '"a \\"text\\""', "ttl": 600}
    vendor.on("DELETE", f"{RECORDS}/1", answer("deleteZoneRecord/success.http"))
    dnsimple.delete_record(ZONE, Record("www.example.com", "A", "127.0.0.1", id="1"))
    assert (vendor.calls[-1].method, vendor.calls[-1].path) == ("DELETE", f"/v2{RECORDS}/1")


def test_what_it_says_of_a_mistake_is_shown(vendor: Vendor, dnsimple: DnSimple) -> None:
    vendor.on("POST", RECORDS, answer("validation-error.http"))
    with pytest.raises(ProviderError, match=r"400: Validation failed; address1: can't be blank"):
        dnsimple.add_record(ZONE, "www.example.com", "A", "127.0.0.1", 600)
    vendor.on("DELETE", f"{RECORDS}/0", answer("notfound-record.http"))
    with pytest.raises(NotFound, match="404: Record `0` not found"):
        dnsimple.delete_record(ZONE, Record("www.example.com", "A", "127.0.0.1", id="0"))


def test_a_gateway_that_fails_can_be_tried_again(
    vendor: Vendor, dnsimple: DnSimple, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploynix.http.FIRST_PAUSE", 0.0)
    vendor.on("GET", "/whoami", answer("badgateway.http"))
    with pytest.raises(Unavailable, match="502") as failure:
        dnsimple.verify()
    assert failure.value.retryable
    vendor.on("GET", "/whoami", answer("success-with-malformed-json.http"))
    with pytest.raises(Unavailable, match="no JSON"):
        dnsimple.verify()
