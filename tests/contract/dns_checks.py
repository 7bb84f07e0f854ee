"""What every DNS provider does. Stand-ins are asked so, and real servers: each suite has fixtures of its own for
`provider`, for `state`, which is what the other side holds, and for `edit_verdict`, which is what is found out about
editing."""

from types import ModuleType

import pytest

from providers.base import Verdict
from providers.contracts.dns import EDIT, DnsProvider
from providers.errors import InvalidCredential, NotFound, RateLimited, Unavailable
from tests.contract.state import DnsState
from tests.contract.vendor import Vendor

NAME = "_acme-challenge.www.example.com"


def test_the_zone_of_a_name_is_the_nearest(provider: DnsProvider) -> None:
    assert provider.find_zone("_acme-challenge.a.b.example.com").name == "example.com"
    assert provider.find_zone("www.shop.example.com.").name == "shop.example.com"
    assert provider.find_zone("shop.example.com").name == "shop.example.com"
    with pytest.raises(NotFound, match=r"holds www\.elsewhere\.org"):
        provider.find_zone("www.elsewhere.org")


def test_zones_are_listed(provider: DnsProvider, state: DnsState) -> None:
    assert {zone.name for zone in provider.zones()} == set(state.zones)


def test_two_values_stand_side_by_side_and_neighbours_stay(provider: DnsProvider, state: DnsState) -> None:
    state.add("example.com", NAME, "TXT", "somebody else's")
    state.add("example.com", "www.example.com", "A", "192.0.2.1")
    zone = provider.find_zone(NAME)

    for value in ("one", "two", "one"):
        provider.ensure_record(zone, NAME, "TXT", value)
    assert state.values("example.com", NAME) == ["one", "somebody else's", "two"]
    assert sorted(record.value for record in provider.records(zone, NAME, "TXT")) == ["one", "somebody else's", "two"]

    for _ in range(2):
        provider.remove_record(zone, NAME, "TXT", "one")
    assert state.values("example.com", NAME) == ["somebody else's", "two"]
    provider.remove_record(zone, NAME, "TXT", "two")
    assert state.values("example.com", NAME) == ["somebody else's"]
    assert state.values("example.com", "www.example.com", "A") == ["192.0.2.1"]


@pytest.mark.parametrize(
    ("type", "value"), [("A", "192.0.2.7"), ("AAAA", "2001:db8::7"), ("CNAME", "target.example.net")]
)
def test_other_types_are_set_too(provider: DnsProvider, state: DnsState, type: str, value: str) -> None:  # noqa: A002
    zone = provider.find_zone("app.example.com")
    provider.ensure_record(zone, "app.example.com", type, value)
    assert [seen.rstrip(".") for seen in state.values("example.com", "app.example.com", type)] == [value]
    assert [record.value for record in provider.records(zone, "app.example.com", type)] == [value]
    provider.remove_record(zone, "app.example.com", type, value)
    assert provider.records(zone, "app.example.com", type) == []


def test_a_value_at_the_apex(provider: DnsProvider, state: DnsState) -> None:
    zone = provider.find_zone("example.com")
    provider.ensure_record(zone, "example.com", "TXT", "at the apex")
    assert state.values("example.com", "example.com") == ["at the apex"]
    provider.remove_record(zone, "example.com", "TXT", "at the apex")
    assert state.values("example.com", "example.com") == []


def test_each_declared_permission_is_proven(provider: DnsProvider, state: DnsState, edit_verdict: Verdict) -> None:
    verdicts = {check.permission: check.verdict for check in provider.verify().checks}
    for permission in provider.permissions:
        if not permission.optional:
            assert verdicts[permission.key] in (Verdict.GRANTED, Verdict.EXCESS, Verdict.UNTESTABLE), permission.key
    assert verdicts[EDIT] == edit_verdict
    assert not any(state.found(zone) for zone in state.zones), "the probe left something behind"


@pytest.mark.parametrize(
    ("status", "error"), [(401, InvalidCredential), (429, RateLimited), (500, Unavailable), (503, Unavailable)]
)
def test_refusals_and_failures_become_the_errors_of_one_tree(
    provider: DnsProvider,
    vendors: list[Vendor],
    fixture: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    error: type[Exception],
) -> None:
    monkeypatch.setattr("deploynix.http.FIRST_PAUSE", 0.0)
    answer_all(vendors, status, fixture.ERROR, {"Retry-After": "3600"} if status == 429 else {})
    with pytest.raises(error) as failure:
        provider.verify()
    for field in provider.fields:
        if field.secret:
            assert fixture.VALUES[field.name] not in f"{failure.value} {getattr(failure.value, 'hint', '')}"


@pytest.mark.parametrize("body", ["<html>Bad gateway</html>", '{"result": '])
def test_what_makes_no_sense_is_an_error_too(provider: DnsProvider, vendors: list[Vendor], body: str) -> None:
    answer_all(vendors, 200, body, {})
    with pytest.raises(Unavailable):
        provider.verify()


def answer_all(vendors: list[Vendor], status: int, body: object, headers: dict[str, str]) -> None:
    for vendor in vendors:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            vendor.on(method, ".*", (status, body, headers))
