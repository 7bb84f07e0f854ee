"""What every DNS provider does. Stand-ins are asked so, and real servers: each suite has fixtures of its own for
`provider`, for `state`, which is what the other side holds, and for `edit_verdict`, which is what is found out about
editing."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import deepcopy
from functools import partial
from itertools import count
from types import ModuleType

import pytest

from providers.base import Verdict
from providers.contracts.dns import EDIT, DnsProvider
from providers.errors import Conflict, InvalidCredential, NotFound, ProviderError, RateLimited, Unavailable
from tests.contract.state import DnsState
from tests.contract.vendor import Call, Handler, Reply, Vendor

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


def test_every_value_of_a_zone_is_told(provider: DnsProvider, state: DnsState) -> None:
    zone = provider.find_zone("www.example.com")
    there = list(provider.all_records(zone))
    values = [
        ("example.com", "TXT", "v=one; two = three"),
        ("www.example.com", "A", "192.0.2.1"),
        ("www.example.com", "A", "192.0.2.2"),
        ("www.example.com", "AAAA", "2001:db8::7"),
        ("*.app.example.com", "CNAME", "target.example.net"),
    ]
    state.add("example.com", "example.com", "MX", "10 ns1.example.com.")
    for name, type, value in values:  # noqa: A001 -- its name in DNS
        provider.ensure_record(zone, name, type, value)
    found = [record for record in provider.all_records(zone) if record not in there]
    assert sorted((record.name, record.type, record.value) for record in found) == sorted(values)
    assert {record.ttl for record in found} == {provider.shortest_ttl}


def test_every_page_of_a_zone_is_read(provider: DnsProvider, state: DnsState) -> None:
    names = {f"host-{number}.example.com" for number in range(120)}
    for name in names:
        state.add("example.com", name.replace("host", "Host"), "TXT", "there")
    found = list(provider.all_records(provider.find_zone("example.com")))
    assert len(found) == len(names)
    assert {record.name for record in found} == names


def test_a_value_at_the_apex(provider: DnsProvider, state: DnsState) -> None:
    zone = provider.find_zone("example.com")
    provider.ensure_record(zone, "example.com", "TXT", "at the apex")
    assert state.values("example.com", "example.com") == ["at the apex"]
    provider.remove_record(zone, "example.com", "TXT", "at the apex")
    assert state.values("example.com", "example.com") == []


@pytest.mark.parametrize("text", ['say "hi" and \\', "x" * 300, "grüße " * 60, " a;b=c&d  %20+#? "])
def test_any_text_can_be_a_value(provider: DnsProvider, state: DnsState, fixture: ModuleType, text: str) -> None:
    zone = provider.find_zone(NAME)
    if set(getattr(fixture, "NOT_IN_TEXTS", "")) & set(text):
        with pytest.raises(ProviderError, match="takes no"):
            provider.ensure_record(zone, NAME, "TXT", text)
        assert state.values("example.com", NAME) == []
        return
    for value in (text, "another", text):
        provider.ensure_record(zone, NAME, "TXT", value)
    assert sorted(record.value for record in provider.records(zone, NAME, "TXT")) == sorted([text, "another"])
    provider.remove_record(zone, NAME, "TXT", "another")
    assert [record.value for record in provider.records(zone, NAME, "TXT")] == [text]
    provider.remove_record(zone, NAME, "TXT", text)
    assert provider.records(zone, NAME, "TXT") == []


def test_a_wildcard_is_a_name_like_others(provider: DnsProvider, state: DnsState) -> None:
    zone = provider.find_zone("*.example.com")
    for value in ("192.0.2.1", "192.0.2.2", "192.0.2.1"):
        provider.ensure_record(zone, "*.example.com", "A", value)
    assert {record.value for record in provider.records(zone, "*.example.com", "A")} == {"192.0.2.1", "192.0.2.2"}
    assert state.values("example.com", "*.example.com", "A") == ["192.0.2.1", "192.0.2.2"]
    provider.remove_record(zone, "*.example.com", "A", "192.0.2.1")
    assert state.values("example.com", "*.example.com", "A") == ["192.0.2.2"]


@pytest.mark.parametrize(
    ("type", "value", "same"),
    [
        ("AAAA", "2001:DB8:0:0::7", "2001:db8::7"),
        ("CNAME", "Target.Example.NET.", "target.example.net"),
        ("TXT", "one", "one"),
    ],
)
def test_what_is_written_differently_is_the_same(
    provider: DnsProvider,
    state: DnsState,
    type: str,  # noqa: A002
    value: str,
    same: str,
) -> None:
    zone = provider.find_zone("App.Example.COM.")
    provider.ensure_record(zone, "App.Example.COM.", type, value)
    provider.ensure_record(zone, "app.example.com", type, same)
    assert len(state.values("example.com", "app.example.com", type)) == 1
    assert [record.value for record in provider.records(zone, "app.example.com", type)] == [same]
    provider.remove_record(zone, "APP.example.com", type, value)
    assert state.values("example.com", "app.example.com", type) == []


@pytest.mark.parametrize("name", ["www.elsewhere.org", "example.com.elsewhere.org", "wwwexample.com", "a..example.com"])
def test_a_name_outside_of_the_zone_is_refused(provider: DnsProvider, state: DnsState, name: str) -> None:
    zone = provider.find_zone("www.example.com")
    for call in (provider.ensure_record, provider.remove_record):
        with pytest.raises(NotFound, match=r"is no name in the zone example\.com"):
            call(zone, name, "TXT", "one")
    assert provider.records(zone, "www.example.com", "TXT") == []


def test_a_name_has_one_alias(provider: DnsProvider, state: DnsState) -> None:
    zone = provider.find_zone("app.example.com")
    provider.ensure_record(zone, "app.example.com", "CNAME", "a.example.net")
    with pytest.raises(Conflict, match=r"alias of a\.example\.net already|other records") as failure:
        provider.ensure_record(zone, "app.example.com", "CNAME", "b.example.net")
    assert failure.value.hint
    assert [record.value for record in provider.records(zone, "app.example.com", "CNAME")] == ["a.example.net"]


@pytest.mark.parametrize("method", ["ensure_record", "remove_record"])
@pytest.mark.parametrize("theirs", ["the same", "two"])
def test_somebody_else_may_write_at_any_moment(
    provider: DnsProvider, state: DnsState, vendors: list[Vendor], fixture: ModuleType, method: str, theirs: str
) -> None:
    """Before each of the requests in turn. Where the vendor cannot tell, the last of two writers wins."""
    other, zone = type(provider)(provider.values), provider.find_zone(NAME)
    value = "one" if theirs == "the same" else "two"
    for number in count():
        there = ["neighbour"] if method == "ensure_record" else ["neighbour", "one"]
        state.replace("example.com", NAME, "TXT", there)
        doing = getattr(other, method if theirs == "the same" else "ensure_record")
        was_made = interrupted(vendors, number, partial(doing, zone, NAME, "TXT", value))
        getattr(provider, method)(zone, NAME, "TXT", "one")
        values = set(state.values("example.com", NAME))
        assert ("one" in values) == (method == "ensure_record")
        if not getattr(fixture, "LAST_WRITER_WINS", False):
            assert values - {"one"} == {"neighbour"} | ({"two"} if theirs == "two" and was_made() else set())
        if not was_made():
            return


def interrupted(vendors: Sequence[Vendor], number: int, doing: Callable[[], object]) -> Callable[[], bool]:
    """Has it done before the request with this number; returns what tells whether there was one."""
    left = [number]

    def count_down() -> None:
        left[0] -= 1
        if left[0] == -1:
            doing()

    for vendor in vendors:
        vendor.meanwhile = count_down
    return lambda: left[0] < 0


@pytest.mark.parametrize("method", ["ensure_record", "remove_record"])
def test_an_answer_that_got_lost_is_no_error_where_all_was_done(
    provider: DnsProvider, state: DnsState, vendors: list[Vendor], fixture: ModuleType, method: str
) -> None:
    """The first request that changes something is done, and answered by an error."""
    state.replace("example.com", NAME, "TXT", ["neighbour"] if method == "ensure_record" else ["neighbour", "one"])
    zone = provider.find_zone(NAME)
    lose_answers(vendors, state, fixture)
    try:
        getattr(provider, method)(zone, NAME, "TXT", "one")
    except Unavailable:
        getattr(provider, method)(zone, NAME, "TXT", "one")
    assert state.values("example.com", NAME) == (["neighbour", "one"] if method == "ensure_record" else ["neighbour"])


def lose_answers(vendors: Sequence[Vendor], state: DnsState, fixture: ModuleType) -> None:
    def lost(handler: Handler) -> Handler:
        def answer(call: Call) -> Reply:
            before = state.values("example.com", NAME)
            reply = handler(call)
            return (500, fixture.ERROR) if state.values("example.com", NAME) != before else reply

        return answer

    for vendor in vendors:
        vendor.wrap(lost)


def test_each_declared_permission_is_proven(provider: DnsProvider, state: DnsState, edit_verdict: Verdict) -> None:
    verdicts = {check.permission: check.verdict for check in provider.verify().checks}
    for permission in provider.permissions:
        if not permission.optional:
            assert verdicts[permission.key] in (Verdict.GRANTED, Verdict.EXCESS, Verdict.UNTESTABLE), permission.key
    assert verdicts[EDIT] == edit_verdict
    assert not any(state.found(zone) for zone in state.zones), "the probe left something behind"


def test_a_probe_that_cannot_be_read_back_is_removed(
    provider: DnsProvider, state: DnsState, vendors: list[Vendor], fixture: ModuleType
) -> None:
    """The first request after it was made that only reads fails."""
    failed = list[Call]()

    def failing(handler: Handler) -> Handler:
        def answer(call: Call) -> Reply:
            before = deepcopy(state.rows)
            reply = handler(call)
            if failed or not any(before.values()) or state.rows != before:
                return reply
            failed.append(call)
            return 500, fixture.ERROR

        return answer

    for vendor in vendors:
        vendor.wrap(failing)
    with suppress(Unavailable):
        provider.verify()
    assert not any(state.rows.values())


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
