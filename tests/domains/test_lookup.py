"""Questions to name servers, on messages made by hand; with real servers they are asked in tests/lab."""

import errno
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.resolver
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from deploynix.dry_run import undone
from deploynix.guard import RefusedAddress, RefusedInDryRun
from domains import lookup
from domains.lookup.caa import Property

NAME = "_acme-challenge.shop.example.com"
RESOLVER, FIRST, SECOND, SIXTH = "10.0.0.53", "1.1.1.10", "1.1.1.20", "2606:4700::30"
Reply = Callable[[dns.message.Message], dns.message.Message]


def rows(texts: tuple[str, ...]) -> list[dns.rrset.RRset]:
    """Of texts like `name type value`."""
    found: dict[tuple[str, str], list[str]] = {}
    for text in texts:
        name, kind, value = text.split(maxsplit=2)
        found.setdefault((name, kind), []).append(value)
    return [dns.rrset.from_text(f"{name}.", 60, "IN", kind, *values) for (name, kind), values in found.items()]


def answered(
    *texts: str, authority: tuple[str, ...] = (), code: int = dns.rcode.NOERROR, flags: int = dns.flags.AA
) -> Reply:
    def reply(question: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(question)
        answer.set_rcode(dns.rcode.Rcode(code))
        answer.flags |= flags
        answer.answer, answer.authority = rows(texts), rows(authority)
        return answer

    return reply


def failing(error: Exception | type[Exception]) -> Reply:
    def reply(question: dns.message.Message) -> dns.message.Message:
        raise error

    return reply


@dataclass
class Net:
    """What each address answers, by name and type (`*` for any name); else that there is nothing. `asked` is by whom,
    over what, about what."""

    replies: dict[tuple[str, str, str], list[Reply]] = field(default_factory=dict)
    asked: list[tuple[str, str, str, str]] = field(default_factory=list)

    def says(self, address: str, name: str, type: str, *replies: Reply) -> None:  # noqa: A002 -- its name in DNS
        """One after the other; the last one again and again."""
        self.replies[address, name, type] = list(replies)

    def answer(
        self, over: str, question: dns.message.Message, address: str, *_: object, **__: object
    ) -> dns.message.Message:
        name, kind = question.question[0].name.to_text(omit_final_dot=True), question.question[0].rdtype.name
        self.asked.append((address, over, name, kind))
        found = self.replies.get((address, name, kind)) or self.replies.get((address, "*", kind)) or [answered()]
        return (found.pop(0) if len(found) > 1 else found[0])(question)


SOA = "ns1.example.net. hostmaster.example.net. 1 3600 600 86400 60"


@pytest.fixture
def net(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Net:
    """example.com is served by ns1 and ns2.example.net; nobody has anything else."""
    settings.DNS_RESOLVERS = [RESOLVER]
    net = Net()
    for over in ("udp", "tcp"):
        monkeypatch.setattr(dns.query, over, partial(net.answer, over))
    net.says(RESOLVER, "*", "SOA", answered(authority=(f"example.com SOA {SOA}",), code=dns.rcode.NXDOMAIN))
    net.says(
        RESOLVER, "example.com", "NS", answered("example.com NS ns1.example.net.", "example.com NS ns2.example.net.")
    )
    net.says(RESOLVER, "ns1.example.net", "A", answered(f"ns1.example.net A {FIRST}"))
    net.says(RESOLVER, "ns2.example.net", "A", answered(f"ns2.example.net A {SECOND}"))
    return net


def told(net: Net) -> list[lookup.Answer]:
    return lookup.answers(lookup.authority_of(NAME), NAME, "TXT")


def seen(wanted: dict[str, list[str]], seconds: float = 0.5) -> list[str]:
    """What was said meanwhile."""
    said: list[str] = []
    lookup.wait_until_seen(wanted, seconds=seconds, should_stop=lambda: False, said=said.append)
    return said


@pytest.mark.parametrize(
    ("reply", "said", "hint"),
    [
        (answered(code=dns.rcode.REFUSED), f"answers REFUSED for {NAME}", "Add the zone there"),
        (answered(code=dns.rcode.SERVFAIL), f"answers SERVFAIL for {NAME}", "Look at its log"),
        (answered(code=dns.rcode.NOTIMP), f"answers NOTIMP for {NAME}", "Look at its log"),
        (answered(flags=0), f"does not hold the zone of {NAME}", "Add the zone there"),
        (failing(dns.exception.Timeout), "does not answer on port 53", "Check that it runs"),
        (failing(ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")), "takes no questions", "it runs"),
        (failing(dns.exception.FormError), "answers something that is no DNS", "Look at its log"),
        (failing(EOFError()), "answers something that is no DNS", "Look at its log"),
    ],
)
def test_what_a_server_fails_at_is_said_with_its_name(net: Net, reply: Reply, said: str, hint: str) -> None:
    net.says(FIRST, NAME, "TXT", reply)
    net.says(SECOND, NAME, "TXT", answered(f'{NAME} TXT "ours"'))
    first, second = told(net)
    assert first.values is None
    assert first.error.startswith(f"ns1.example.net ({FIRST}) {said}")
    assert hint in first.hint
    assert second == lookup.Answer("ns2.example.net", SECOND, ("ours",), ttl=60)
    with pytest.raises(lookup.NotSeen, match=r"ns1\.example\.net"):
        seen({NAME: ["ours"]}, seconds=0)


@pytest.mark.parametrize("lost", [failing(dns.exception.Timeout), answered(flags=dns.flags.AA | dns.flags.TC)])
def test_what_does_not_come_whole_over_udp_is_asked_for_over_tcp(net: Net, lost: Reply) -> None:
    net.says(FIRST, NAME, "TXT", lost, answered(f'{NAME} TXT "a" "b"', f'{NAME} TXT "\\195\\164\\200"'))
    assert told(net)[0].values == ("ab", "ä\\xc8")
    assert [over for address, over, _, kind in net.asked if (address, kind) == (FIRST, "TXT")] == ["udp", "tcp"]


def test_names_are_told_without_their_last_dot_and_only_those_of_the_name_itself(net: Net) -> None:
    net.says(FIRST, NAME, "CNAME", answered(f"{NAME} CNAME Target.Example.ORG."))
    net.says(FIRST, NAME, "A", answered(f"{NAME} CNAME target.example.com.", "target.example.com A 192.0.2.1"))
    authority = lookup.authority_of(NAME)
    assert lookup.answers(authority, NAME, "CNAME")[0].values == ("target.example.org",)
    assert lookup.answers(authority, NAME, "A")[0].values == ()


def test_a_server_speaks_by_the_address_that_can_be_reached(net: Net) -> None:
    no_route = failing(OSError(errno.ENETUNREACH, "Network is unreachable"))
    net.says(RESOLVER, "ns1.example.net", "AAAA", answered(f"ns1.example.net AAAA {SIXTH}"))
    net.says(SIXTH, NAME, "TXT", answered(f'{NAME} TXT "ours"'))
    net.says(FIRST, NAME, "TXT", no_route)
    assert told(net)[0] == lookup.Answer("ns1.example.net", SIXTH, ("ours",), ttl=60)

    net.says(SIXTH, NAME, "TXT", no_route)
    net.says(FIRST, NAME, "TXT", answered(code=dns.rcode.REFUSED))
    first = told(net)[0]
    assert (first.address, first.is_out_of_reach) == (FIRST, False)
    assert "REFUSED" in first.error


def test_a_server_that_this_machine_has_no_way_to_is_not_waited_for(net: Net) -> None:
    net.says(RESOLVER, "ns1.example.net", "A", answered())
    net.says(RESOLVER, "ns1.example.net", "AAAA", answered(f"ns1.example.net AAAA {SIXTH}"))
    net.says(SIXTH, NAME, "TXT", failing(OSError(errno.ENETUNREACH, "Network is unreachable")))
    net.says(SECOND, NAME, "TXT", answered(f'{NAME} TXT "ours"'))
    first = told(net)[0]
    assert first.is_out_of_reach
    assert first.error == f"ns1.example.net ({SIXTH}) cannot be reached from this machine: Network is unreachable."
    assert seen({NAME: ["ours"]}) == []

    net.says(SECOND, NAME, "TXT", failing(OSError(errno.EHOSTUNREACH, "No route to host")))
    with pytest.raises(lookup.NotSeen, match="cannot be reached from this machine"):
        seen({NAME: ["ours"]}, seconds=0)


def test_a_server_without_an_address_is_named(net: Net) -> None:
    net.says(RESOLVER, "ns1.example.net", "A", answered())
    first = told(net)[0]
    assert (first.address, first.error) == ("", "ns1.example.net is a name server without an address.")
    assert "glue" in first.hint


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "192.0.2.1"])
def test_a_server_on_our_own_network_is_not_asked(net: Net, address: str) -> None:
    net.says(RESOLVER, "ns1.example.net", "A", answered(f"ns1.example.net A {address}"))
    first = told(net)[0]
    assert first.error == f"ns1.example.net leads to {address}, which is not on the public Internet."
    with pytest.raises(RefusedAddress, match="ns1"):
        seen({NAME: ["ours"]})
    assert not [asked for asked in net.asked if asked[0] == address]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "ask",
    [
        lookup.authority_of,
        lookup.follow_cname,
        lookup.caa_of,
        lambda name: lookup.answers(lookup.Authority("example.com", ()), name, "TXT"),
        lambda name: lookup.public_answers(name, "TXT"),
        lambda name: seen({name: ["ours"]}),
    ],
)
def test_nobody_is_asked_in_a_dry_run(net: Net, ask: Callable[[str], object]) -> None:
    with undone([]), pytest.raises(RefusedInDryRun):
        ask(NAME)
    assert net.asked == []


class TestAuthority:
    @pytest.mark.parametrize("apex", ["co.uk", "uk"])
    def test_a_domain_that_nobody_has_registered(self, net: Net, apex: str) -> None:
        net.says(RESOLVER, "*", "SOA", answered(authority=(f"{apex} SOA {SOA}",), code=dns.rcode.NXDOMAIN))
        net.says(RESOLVER, apex, "NS", answered(f"{apex} NS ns1.example.net."))
        with pytest.raises(lookup.NoSuchDomain, match=r"^www\.unregistered\.co\.uk belongs to no domain"):
            lookup.authority_of("www.unregistered.co.uk")

    def test_a_top_level_of_one_s_own_network_is_a_zone_like_any_other(self, net: Net) -> None:
        net.says(RESOLVER, "*", "SOA", answered(authority=(f"corp SOA {SOA}",), code=dns.rcode.NXDOMAIN))
        net.says(RESOLVER, "corp", "NS", answered("corp NS ns1.example.net."))
        assert lookup.authority_of("shop.corp").zone == "corp"

    def test_what_an_alias_leads_to_is_not_taken_for_the_zone(self, net: Net) -> None:
        alias = answered("www.example.com CNAME elsewhere.org.", authority=(f"elsewhere.org SOA {SOA}",))
        net.says(RESOLVER, "www.example.com", "SOA", alias)
        assert lookup.authority_of("www.example.com").zone == "example.com"

    def test_where_a_resolver_fails_the_delegation_is_read_above(self, net: Net) -> None:
        for name in (NAME, "shop.example.com"):
            net.says(RESOLVER, name, "SOA", answered(code=dns.rcode.SERVFAIL))
        down = answered(authority=("shop.example.com NS ns.shop.example.com.",), flags=0)
        net.says(FIRST, NAME, "NS", down)
        found = lookup.authority_of(NAME)
        assert found.zone == "shop.example.com"
        assert [server.name for server in found.servers] == ["ns.shop.example.com"]

    def test_a_server_that_sends_us_round_in_circles_leads_nowhere(self, net: Net) -> None:
        net.says(RESOLVER, NAME, "SOA", answered(code=dns.rcode.SERVFAIL))
        for sideways in ("example.com", "com", "elsewhere.org", f"a.{NAME}"):
            net.says(FIRST, NAME, "NS", answered(authority=(f"{sideways} NS ns9.example.net.",), flags=0))
            assert lookup.authority_of(NAME).zone == "example.com"

    def test_who_names_hundreds_of_servers_does_not_keep_us_busy(self, net: Net) -> None:
        many = [f"example.com NS ns{number}.example.net." for number in range(33)]
        net.says(RESOLVER, "example.com", "NS", answered(*many))
        with pytest.raises(lookup.LookupFailed, match="has 33 name servers"):
            lookup.authority_of(NAME)
        addresses = [f"ns1.example.net A 1.1.1.{number}" for number in range(40)]
        net.says(RESOLVER, "example.com", "NS", answered("example.com NS ns1.example.net."))
        net.says(RESOLVER, "ns1.example.net", "A", answered(*addresses))
        assert len(lookup.authority_of(NAME).servers[0].addresses) == 8

    def test_a_resolver_that_fails_is_named(self, net: Net, settings: Settings) -> None:
        net.says(RESOLVER, "*", "SOA", answered(code=dns.rcode.SERVFAIL))
        with pytest.raises(lookup.LookupFailed, match=f"the resolver {RESOLVER} answers SERVFAIL") as failure:
            lookup.authority_of(NAME)
        assert failure.value.retryable
        settings.DNS_RESOLVERS = [RESOLVER, "10.0.0.54"]
        soa = answered(authority=(f"example.com SOA {SOA}",))
        net.says("10.0.0.54", "*", "SOA", soa)
        net.says("10.0.0.54", "example.com", "NS", answered("example.com NS ns1.example.net."))
        assert lookup.authority_of(NAME).zone == "example.com"

    def test_without_a_setting_those_of_the_system_are_asked(
        self, net: Net, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.DNS_RESOLVERS = []
        monkeypatch.setattr(dns.resolver.Resolver, "read_resolv_conf", read(RESOLVER))
        assert lookup.authority_of(NAME).zone == "example.com"
        monkeypatch.setattr(dns.resolver.Resolver, "read_resolv_conf", read())
        with pytest.raises(lookup.LookupFailed, match="knows no resolver"):
            lookup.authority_of(NAME)


def read(*addresses: str) -> Callable[..., None]:
    def set_nameservers(resolver: dns.resolver.Resolver, file: object) -> None:
        if not addresses:
            raise dns.resolver.NoResolverConfiguration
        resolver.nameservers = list(addresses)

    return set_nameservers


class TestWaiting:
    def test_says_what_is_missing_once_and_ends_when_all_show_all(self, net: Net) -> None:
        other = "_acme-challenge.example.com"
        for address in (FIRST, SECOND):
            net.says(address, other, "TXT", answered(f'{other} TXT "one"', f'{other} TXT "two"'))
        net.says(FIRST, NAME, "TXT", answered(f'{NAME} TXT "ours"'))
        net.says(SECOND, NAME, "TXT", answered(), answered(), answered(f'{NAME} TXT "ours"'))
        said = seen({NAME: ["ours"], other: ["one", "two"]}, seconds=10)
        assert said == [f"ns2.example.net ({SECOND}) does not show the TXT value of {NAME} yet: it has none."]
        # What was seen whole is not asked for again.
        assert sum(asked[2:] == (other, "TXT") for asked in net.asked) == 2

    def test_a_value_that_comes_and_goes_is_not_seen(self, net: Net) -> None:
        ours, none = answered(f'{NAME} TXT "ours"'), answered()
        net.says(FIRST, NAME, "TXT", ours, none)
        net.says(SECOND, NAME, "TXT", none, ours)
        with pytest.raises(lookup.NotSeen, match="ns1"):
            seen({NAME: ["ours"]}, seconds=1)

    def test_pauses_grow(self, net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
        now, pauses = [0.0], []

        def rest(seconds: float, should_stop: object) -> None:
            pauses.append(seconds)
            now[0] += seconds

        monkeypatch.setattr("domains.lookup.waiting.monotonic", lambda: now[0])
        monkeypatch.setattr("domains.lookup.waiting._rest", rest)
        with pytest.raises(lookup.NotSeen):
            seen({NAME: ["ours"]}, seconds=600)
        assert pauses == sorted(pauses)
        assert pauses[0] == 0.2
        assert pauses[-1] == 10.0
        assert 590 <= now[0] <= 600

    def test_nothing_wanted_is_seen_at_once(self, net: Net) -> None:
        assert seen({}) == []


def property_(tag: str, value: str, flags: int = 0) -> Property:
    return Property(flags, tag, value)


@pytest.mark.parametrize(
    ("properties", "single", "wildcard"),
    [
        ([], True, True),
        ([property_("iodef", "mailto:a@b.c")], True, True),
        ([property_("issue", "CA.example")], True, True),
        ([property_("issue", " ca.example ; account=7")], True, True),
        ([property_("issue", "other.example")], False, False),
        ([property_("issue", "other.example"), property_("issue", "ca.example")], True, True),
        ([property_("issue", ";")], False, False),
        ([property_("issuewild", ";")], True, False),
        ([property_("issue", ";"), property_("issuewild", "ca.example")], False, True),
        ([property_("issue", "ca.example"), property_("issuewild", "other.example")], True, False),
        ([property_("issue", "ca.example"), property_("tbs", "unknown", flags=128)], False, False),
        ([property_("issue", "ca.example"), property_("tbs", "unknown")], True, True),
    ],
)
def test_which_authorities_may_issue(properties: list[Property], single: bool, wildcard: bool) -> None:
    found = lookup.Caa("example.com", tuple(properties))
    assert found.allows(["ca.example", "www.ca.example"], is_wildcard=False) == single
    assert found.allows(["ca.example", "www.ca.example"], is_wildcard=True) == wildcard


def test_a_failure_on_the_way_up_is_no_permission(net: Net) -> None:
    """RFC 8659, section 3: an authority must not issue then either."""
    net.says(RESOLVER, "shop.example.com", "CAA", answered(code=dns.rcode.SERVFAIL))
    with pytest.raises(lookup.LookupFailed, match="SERVFAIL"):
        lookup.caa_of(NAME)


@given(name=st.text(max_size=80))
def test_any_text_is_a_name_or_said_to_be_none(name: str) -> None:
    with suppress(lookup.NoSuchDomain):
        assert lookup.answers(lookup.Authority("example.com", ()), name, "TXT") == []
