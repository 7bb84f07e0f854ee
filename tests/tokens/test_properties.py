"""What holds for every text and every combination of words, looked for by hypothesis."""

import re
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from django.test import RequestFactory
from hypothesis import assume, given
from hypothesis import strategies as st

from deploynix.abilities import ABILITIES, ROLES, expand
from deploynix.errors import Unauthenticated
from tokens.authentication import TokenAuthentication
from tokens.durations import LONGEST, parse_duration
from tokens.networks import holds, parse_network
from tokens.vocabularies import VOCABULARIES, opened
from tokens.wire import ALPHABET, PREFIXES, PUBLIC_ID_LENGTH, SECRET_LENGTH, WireToken, parse

pytestmark = pytest.mark.soak

PREFIX = st.sampled_from(PREFIXES)
WIRES = st.builds(
    WireToken,
    PREFIX,
    st.text(ALPHABET, min_size=PUBLIC_ID_LENGTH, max_size=PUBLIC_ID_LENGTH),
    st.text(ALPHABET, min_size=SECRET_LENGTH, max_size=SECRET_LENGTH),
)
# Text of any kind, and text that looks like a token for a while.
JUNK = st.text() | st.builds("".join, st.tuples(PREFIX, st.text(ALPHABET + "_-é", max_size=60)))
ROLE = st.sampled_from(sorted(ROLES))
# IPv4 addresses as IPv6 writes them: none of them is one of IPv6 where it is asked for.
MAPPED = IPv6Network("::ffff:0:0/96")
ADDRESSES: st.SearchStrategy[IPv4Address | IPv6Address] = st.ip_addresses()


@given(wire=WIRES)
def test_a_token_is_read_back_as_it_was_written(wire: WireToken) -> None:
    assert parse(wire.text) == wire


@given(wire=WIRES, place=st.integers(0, 200), other=st.characters())
def test_a_token_with_one_other_character_is_refused(wire: WireToken, place: int, other: str) -> None:
    text = wire.text
    place %= len(text)
    assume(text[place] != other)
    assert parse(text[:place] + other + text[place + 1 :]) is None


@given(wire=WIRES, place=st.integers(0, 200), more=st.text(min_size=1, max_size=9))
def test_a_token_with_something_put_in_or_left_out_is_refused(wire: WireToken, place: int, more: str) -> None:
    text = wire.text
    place %= len(text)
    assert parse(text[:place] + more + text[place:]) is None
    assert parse(text[:place] + text[place + 1 :]) is None


@given(wire=WIRES, place=st.integers(0, 200))
def test_a_token_with_two_neighbours_exchanged_is_refused(wire: WireToken, place: int) -> None:
    text = wire.text
    place %= len(text) - 1
    assume(text[place] != text[place + 1])
    assert parse(text[:place] + text[place + 1] + text[place] + text[place + 2 :]) is None


@given(text=JUNK)
def test_junk_is_no_token(text: str) -> None:
    assert parse(text) is None


@given(header=JUNK | st.builds("{} {}".format, st.sampled_from(["Bearer", "bearer", "Basic", "", "Token"]), JUNK))
def test_a_header_of_junk_is_refused_without_a_query(header: str) -> None:
    """The test has no access to the database: a query would raise RuntimeError."""
    request = RequestFactory().get("/api/v1/user", HTTP_AUTHORIZATION=header)
    with pytest.raises(Unauthenticated) as refused:
        TokenAuthentication().authenticate(request)
    assert refused.value.code == ("invalid_token" if header.strip() else "authentication_required")


@given(one=ADDRESSES, other=ADDRESSES)
def test_a_single_address_is_a_network_of_one(one: IPv4Address | IPv6Address, other: IPv4Address | IPv6Address) -> None:
    network = parse_network(f" {one} ")
    assert network == ip_network(_plain(one))
    assert holds([str(network)], str(one))
    assert holds([str(network)], str(other)) == (_plain(one) == _plain(other))


@given(address=ADDRESSES, length=st.integers(0, 128), asked=ADDRESSES)
def test_an_address_is_let_in_where_it_is_in_one_of_the_networks(
    address: IPv4Address | IPv6Address, length: int, asked: IPv4Address | IPv6Address
) -> None:
    network = parse_network(str(ip_network(f"{address}/{min(length, address.max_prefixlen)}", strict=False)))
    allowlist = ["192.0.2.7", str(network)]
    assert holds(allowlist, str(asked)) == any(_plain(asked) in ip_network(text) for text in allowlist)
    assume(not network.overlaps(MAPPED))
    assert holds(allowlist, str(network.network_address))
    assert holds(allowlist, str(network.broadcast_address))


@given(address=st.ip_addresses(v=4), length=st.integers(0, 32), asked=st.ip_addresses(v=4))
def test_an_ipv4_address_that_came_over_ipv6_counts_as_ipv4(
    address: IPv4Address, length: int, asked: IPv4Address
) -> None:
    network = ip_network(f"{address}/{length}", strict=False)
    mapped = ip_network(f"::ffff:{address}/{96 + length}", strict=False)
    assert parse_network(str(mapped)) == network
    allowlist = [str(network)]
    assert holds(allowlist, f"::ffff:{asked}") == holds(allowlist, str(asked)) == (asked in network)
    assert holds(allowlist, f"::ffff:{int(asked) >> 16:x}:{int(asked) & 0xFFFF:x}") == (asked in network)


@given(address=ADDRESSES)
def test_a_list_of_other_networks_lets_nobody_in(address: IPv4Address | IPv6Address) -> None:
    assert not holds([], str(address))
    assert not holds(["192.0.2.0/24"], None)


@given(text=st.text() | st.from_regex(r"[0-9a-f.:]{1,20}(/[0-9]{1,3})?(%[a-z0-9]{1,4})?", fullmatch=True))
def test_what_is_no_network_is_refused_and_what_is_one_is_kept(text: str) -> None:
    try:
        network = parse_network(text)
    except ValueError:
        return
    assert parse_network(str(network)) == network
    assert "%" not in str(network)
    assert network.network_address in network


@given(number=st.integers(1, 99_999), unit=st.sampled_from("hdw"))
def test_a_duration_is_read_as_it_is_written(number: int, unit: str) -> None:
    span = number * {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}[unit]
    if span > LONGEST:
        with pytest.raises(ValueError, match="up to ten years"):
            parse_duration(f"{number}{unit}")
    else:
        assert parse_duration(f" {number}{unit} ") == span


@given(text=st.text() | st.from_regex(r"[-+]?\d{0,7}[hdwms٣]?", fullmatch=True))
def test_what_is_no_duration_is_refused_with_an_example_of_one(text: str) -> None:
    if re.fullmatch("[1-9][0-9]{0,4}[hdw]", text.strip(), re.ASCII):
        return
    with pytest.raises(ValueError, match="such as 12h, 90d or 2w"):
        parse_duration(text)


@given(names=st.sets(st.sampled_from(sorted(ABILITIES))))
def test_abilities_stand_for_themselves(names: set[str]) -> None:
    assert expand(names) == names


@given(
    resource=st.sampled_from(["*", *sorted({name.partition(":")[0] for name in ABILITIES})]),
    action=st.sampled_from(["*", *sorted({name.partition(":")[2] for name in ABILITIES})]),
)
def test_a_wildcard_stands_for_all_that_match_it_and_nothing_else(resource: str, action: str) -> None:
    expected = {
        name
        for name in ABILITIES
        if resource in ("*", name.partition(":")[0]) and action in ("*", name.partition(":")[2])
    }
    if expected:
        assert expand([f"{resource}:{action}"]) == expected
    else:
        with pytest.raises(ValueError, match=f"{resource}:{action}"):
            expand([f"{resource}:{action}"])


@given(
    name=st.sampled_from(sorted(ABILITIES)),
    start=st.integers(0, 20),
    length=st.integers(0, 20),
    sign=st.sampled_from(["*", "**", "?", "[a-z]", "[!x]", ":*", "*:", "", "*:*:*"]),
    resource=st.sampled_from(["*", "", None]),
)
def test_no_other_sign_and_no_part_of_a_word_is_a_wildcard(
    name: str, start: int, length: int, sign: str, resource: str | None
) -> None:
    """`*` stands for a whole resource or action: `s*:*` or `?erver:*` would open more than anybody reads in it."""
    pattern = name[:start] + sign + name[start + length :]
    if resource is not None:
        pattern = f"{resource}:{pattern.partition(':')[2]}"
    resources, actions = zip(*(name.split(":") for name in ABILITIES), strict=True)
    parts = pattern.split(":")
    is_known = len(parts) == 2 and parts[0] in ("*", *resources) and parts[1] in ("*", *actions)
    if not is_known and pattern != "*":
        with pytest.raises(ValueError) as refused:  # noqa: PT011 -- the pattern is all that it says
            expand([pattern])
        assert refused.value.args == (pattern,)


@st.composite
def words(draw: st.DrawFn) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """A prefix, some of its words, and some more."""
    prefix = draw(PREFIX)
    some = st.lists(st.sampled_from(sorted(VOCABULARIES[prefix].opens)), max_size=6).map(tuple)
    return prefix, draw(some), draw(some)


@given(drawn=words(), role=ROLE)
def test_more_words_never_open_less(drawn: tuple[str, tuple[str, ...], tuple[str, ...]], role: str) -> None:
    prefix, few, more = drawn
    assert opened(prefix, few, role) <= opened(prefix, few + more, role)
    assert opened(prefix, few + more, role) == opened(prefix, few, role) | opened(prefix, more, role)
    assert opened(prefix, tuple(reversed(few)), role) == opened(prefix, few, role)


@given(drawn=words(), role=ROLE, junk=st.text())
def test_words_never_open_more_than_the_role_has(
    drawn: tuple[str, tuple[str, ...], tuple[str, ...]], role: str, junk: str
) -> None:
    prefix, few, _ = drawn
    assert opened(prefix, few, role) <= ROLES[role]
    assume(junk not in VOCABULARIES[prefix].opens)
    assert opened(prefix, (*few, junk), role) == opened(prefix, few, role)


def test_a_higher_role_has_all_that_a_lower_one_has() -> None:
    assert ROLES["viewer"] < ROLES["developer"] < ROLES["admin"] < ROLES["owner"] == ABILITIES.keys()


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or ip_address(str(address))
