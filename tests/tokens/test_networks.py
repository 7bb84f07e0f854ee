"""Which addresses a key may be used from."""

import pytest

from tokens.networks import holds, parse_network


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("203.0.113.0/24", "203.0.113.0/24"),
        (" 198.51.100.45 ", "198.51.100.45/32"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("::ffff:198.51.100.45", "198.51.100.45/32"),
        ("::/0", "::/0"),
    ],
)
def test_a_network_is_read(text: str, network: str) -> None:
    assert str(parse_network(text)) == network


@pytest.mark.parametrize("text", ["", "10.0.0.1/8", "10.0.0.0/33", "fe80::1%eth0", "example.com", "010.0.0.1", "1"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 -- the text comes from the standard library
        parse_network(text)


@pytest.mark.parametrize(
    ("ip", "is_held"),
    [
        ("203.0.113.7", True),
        ("::ffff:203.0.113.7", True),
        ("203.0.114.7", False),
        ("2001:db8:1::1", True),
        ("2001:db9::1", False),
        (None, False),
    ],
)
def test_an_address_is_in_the_list_or_not(ip: str | None, is_held: bool) -> None:
    assert holds(["203.0.113.0/24", "2001:db8::/32"], ip) is is_held
