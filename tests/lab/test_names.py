"""What is asked of name servers, on BIND and PowerDNS behind a root of their own; and whatever may be wrong there."""

import itertools
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer

import pytest
from pytest_django import Settings

from deploynix.guard import RefusedAddress
from domains import lookup
from domains.lookup import asking, wire
from tests.lab.dns_servers import Served
from tests.lab.names import Names
from tests.peers import wait_until

pytestmark = pytest.mark.lab
NAME = "_acme-challenge.shop.example.test"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not answer here never will."""
    monkeypatch.setattr(wire, "UDP_SECONDS", 0.5)
    monkeypatch.setattr(wire, "TCP_SECONDS", 0.5)


def waited(wanted: dict[str, list[str]], seconds: float = 5.0) -> list[str]:
    """What was said meanwhile."""
    said: list[str] = []
    lookup.wait_until_seen(wanted, seconds=seconds, should_stop=lambda: False, said=said.append)
    return said


def put(names: Names, name: str, *values: str, type: str = "TXT") -> None:  # noqa: A002 -- its name in DNS
    zone = next(zone for zone in names.bind.zones if f".{name}".endswith(f".{zone}"))
    for value in values:
        Served(names.bind).add(zone, name, type, value)


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("example.test", "example.test"),
        ("not.there.at.all.Example.test.", "example.test"),
        ("*.pdns.test", "pdns.test"),
        ("ns1.example.test", "example.test"),
    ],
)
def test_the_zone_of_a_name_and_its_servers(names: Names, name: str, zone: str) -> None:
    found = lookup.authority_of(name)
    address = names.pdns.address if zone == "pdns.test" else names.bind.address
    assert found == lookup.Authority(zone, (lookup.NameServer(f"ns1.{zone}", (address,)),))


def test_an_alias_is_in_the_zone_where_it_stands(names: Names) -> None:
    put(names, "www.example.test", "pdns.test.", type="CNAME")
    assert lookup.authority_of("www.example.test").zone == "example.test"


@pytest.mark.parametrize("name", ["shop.unregistered.org", "shop.no-such-top-level", "a" * 64, "a..b", "é" * 60])
def test_a_domain_that_there_is_not(names: Names, name: str) -> None:
    with pytest.raises(lookup.NoSuchDomain):
        lookup.authority_of(name)


def test_each_server_tells_its_values(names: Names) -> None:
    put(names, "a.slow.test", "192.0.2.7", "192.0.2.5", type="A")
    first, second = lookup.answers(lookup.authority_of("a.slow.test"), "a.slow.test", "A")
    assert first == lookup.Answer("ns1.slow.test", names.bind.address, ("192.0.2.5", "192.0.2.7"), ttl=300)
    assert second == lookup.Answer("ns2.slow.test", names.secondary.address, ())


def test_more_values_than_fit_into_a_datagram_come_over_tcp(names: Names) -> None:
    texts = [f"{number:03}" + "x" * 200 for number in range(20)]
    put(names, NAME, *texts)
    (answer,) = lookup.answers(lookup.authority_of(NAME), NAME, "TXT")
    assert answer.values == tuple(texts)


def test_a_value_that_all_servers_show_is_seen_at_once(names: Names) -> None:
    put(names, NAME, "ours", "somebody else's")
    put(names, "_acme-challenge.example.test", "another")
    assert waited({NAME: ["ours"], "_acme-challenge.example.test": ["another"]}) == []


def test_a_server_that_lags_is_waited_for_and_named(names: Names) -> None:
    name = "_acme-challenge.slow.test"
    put(names, name, "late")
    Timer(1.0, names.secondary.catch_up, ["slow.test"]).start()
    (said,) = waited({name: ["late"]}, seconds=20)
    assert said == (
        f"ns2.slow.test ({names.secondary.address}) does not show the TXT value of {name} yet: it has none."
    )


def test_a_value_that_never_comes_is_said_with_what_is_there(names: Names) -> None:
    put(names, NAME, "of before")
    with pytest.raises(lookup.NotSeen, match=r"ns1\.example\.test .* it has only of before") as failure:
        waited({NAME: ["ours"]}, seconds=0.5)
    assert "provider" in failure.value.hint


def test_a_wait_can_be_stopped(names: Names) -> None:
    asked = itertools.count()
    with pytest.raises(lookup.Stopped):
        lookup.wait_until_seen(
            {NAME: ["ours"]}, seconds=60, should_stop=lambda: next(asked) > 1, said=lambda text: None
        )


def test_a_server_that_refuses_is_named(names: Names) -> None:
    put(names, "_acme-challenge.lame.test", "ours")
    with pytest.raises(lookup.NotSeen, match=r"ns2\.lame\.test .* answers REFUSED") as failure:
        waited({"_acme-challenge.lame.test": ["ours"]}, seconds=0.5)
    assert failure.value.hint == "Add the zone there, or take it out of the domain's name servers."


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("secondary", r"ns1\.never-copied\.test .* answers SERVFAIL"),
        ("resolver", r"ns1\.stray\.test .* does not hold the zone"),
        ("silent", r"ns1\.silent\.test .* does not answer on port 53"),
        ("nobody", r"ns1\.nobody\.test .* takes no questions on port 53: Connection refused"),
    ],
)
def test_a_domain_with_no_server_that_works(names: Names, fault: str, said: str) -> None:
    """The resolver can only say that it failed."""
    label = {"secondary": "never-copied", "resolver": "stray"}.get(fault, fault)
    place = getattr(names, fault).address if fault in ("secondary", "resolver") else names.silent
    names.delegate(f"{label}.test", ns1=place)
    with mute(names.silent) if fault == "silent" else nothing():
        authority = lookup.authority_of(f"www.{label}.test")
        assert authority == lookup.Authority(f"{label}.test", (lookup.NameServer(f"ns1.{label}.test", (place,)),))
        (answer,) = lookup.answers(authority, f"www.{label}.test", "TXT")
    assert answer.values is None
    assert re.search(said, answer.error)
    assert answer.hint.endswith("take it out of the domain's name servers.")


@contextmanager
def nothing() -> Iterator[None]:
    yield


@contextmanager
def mute(address: str) -> Iterator[None]:
    """A server that takes questions, and says nothing."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
        socket.create_server((address, 53)),
    ):
        datagrams.bind((address, 53))
        yield


@pytest.mark.usefixtures("quick")
def test_domains_whose_name_servers_wait_for_each_other(names: Names) -> None:
    names.delegate_to("chicken.test", "ns.egg.test")
    names.delegate_to("egg.test", "ns.chicken.test")
    # A resolver that goes round in this circle now and then fails at the servers above, too.
    wait_until(lambda: lookup.authority_of("chicken.test").zone == "chicken.test", 15, "the delegation")
    (answer,) = lookup.answers(lookup.authority_of("chicken.test"), "chicken.test", "A")
    assert (answer.server, answer.address, answer.values) == ("ns.egg.test", "", None)
    assert "ns.egg.test cannot be looked up" in answer.error
    assert "glue" in answer.hint


def test_a_resolver_that_is_not_there_is_named(names: Names, settings: Settings, quick: None) -> None:
    settings.DNS_RESOLVERS = [names.silent]
    with pytest.raises(lookup.LookupFailed, match="does not answer") as failure:
        lookup.authority_of("www.example.test")
    assert failure.value.retryable
    assert "DNS_RESOLVERS" in failure.value.hint
    settings.DNS_RESOLVERS = [names.silent, names.resolver.address]
    assert lookup.authority_of("www.example.test").zone == "example.test"


def test_our_own_network_is_asked_only_where_the_operator_opens_it(names: Names, settings: Settings) -> None:
    settings.OUTBOUND_ALLOW = []
    authority = lookup.authority_of(NAME)
    (answer,) = lookup.answers(authority, NAME, "TXT")
    assert answer.values is None
    assert "not on the public Internet" in answer.error
    with pytest.raises(RefusedAddress, match=r"ns1\.example\.test"):
        waited({NAME: ["ours"]})


def test_public_resolvers_are_asked_too(names: Names, monkeypatch: pytest.MonkeyPatch, quick: None) -> None:
    put(names, NAME, "ours")
    monkeypatch.setattr(asking, "PUBLIC_RESOLVERS", (("Here", names.public.address), ("Gone", names.silent)))
    here, gone = lookup.public_answers(NAME, "TXT")
    assert (here.values, here.error) == (("ours",), "")
    assert (gone.values, gone.error) == (None, f"Gone ({names.silent}) cannot be reached from this machine.")


class TestAliases:
    def test_are_followed_to_their_end(self, names: Names) -> None:
        put(names, NAME, "one.proofs.test.", type="CNAME")
        put(names, "one.proofs.test", "Two.pdns.test.", type="CNAME")
        assert lookup.follow_cname(NAME) == "two.pdns.test"
        assert lookup.follow_cname("_acme-challenge.example.test") == "_acme-challenge.example.test"

    def test_that_go_round_in_a_circle_are_shown(self, names: Names) -> None:
        put(names, NAME, "one.proofs.test.", type="CNAME")
        put(names, "one.proofs.test", f"{NAME}.", type="CNAME")
        with pytest.raises(lookup.LookupFailed, match=f"{NAME} → one.proofs.test → {NAME}"):
            lookup.follow_cname(NAME)

    def test_without_an_end_are_given_up(self, names: Names) -> None:
        for number in range(12):
            put(names, f"n{number}.proofs.test", f"n{number + 1}.proofs.test.", type="CNAME")
        with pytest.raises(lookup.LookupFailed, match=r"n8\.proofs\.test → n9\.proofs\.test\."):
            lookup.follow_cname("n0.proofs.test")

    def test_to_a_domain_that_there_is_not(self, names: Names) -> None:
        put(names, NAME, "one.gone.org.", type="CNAME")
        with pytest.raises(lookup.NoSuchDomain, match=rf"{NAME} is an alias \(CNAME\) of one\.gone\.org\."):
            lookup.follow_cname(NAME)

    def test_of_a_wildcard_end_where_a_record_is_put(self, names: Names) -> None:
        put(names, "*.example.test", "hosting.pdns.test.", type="CNAME")
        assert lookup.follow_cname(NAME) == NAME
        put(names, NAME, "mine")
        assert waited({NAME: ["mine"]}) == []


class TestCaa:
    def test_the_nearest_records_count(self, names: Names) -> None:
        assert lookup.caa_of("*.shop.example.test") == lookup.Caa()
        put(names, "example.test", '0 issue "Pebble.example; account=1"', '0 iodef "mailto:a@b.c"', type="CAA")
        # A resolver may remember for a second that there was nothing.
        wait_until(lambda: lookup.caa_of("*.shop.example.test") != lookup.Caa(), 3, "CAA records")
        found = lookup.caa_of("*.shop.example.test")
        assert (found.name, [each.tag for each in found.properties]) == ("example.test", ["iodef", "issue"])
        assert found.allows(["pebble.example"], is_wildcard=True)
        assert not found.allows(["other.example"], is_wildcard=False)
        put(names, "shop.example.test", '0 issue ";"', type="CAA")
        wait_until(lambda: lookup.caa_of("www.shop.example.test") != found, 3, "nearer CAA records")
        nearer = lookup.caa_of("www.shop.example.test")
        assert nearer.name == "shop.example.test"
        assert not nearer.allows(["pebble.example"], is_wildcard=False)

    def test_an_alias_has_those_of_its_target(self, names: Names) -> None:
        put(names, "www.example.test", "target.proofs.test.", type="CNAME")
        put(names, "target.proofs.test", '0 issue "elsewhere.example"', type="CAA")
        put(names, "example.test", '0 issue "here.example"', type="CAA")
        assert lookup.caa_of("www.example.test").allows(["elsewhere.example"], is_wildcard=False)
