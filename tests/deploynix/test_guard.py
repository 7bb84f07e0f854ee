"""Where a request may not lead."""

from ipaddress import ip_address

import pytest
from pytest_django import Settings

from deploynix.dry_run import undone
from deploynix.guard import RefusedAddress, RefusedInDryRun, is_open, open_connection
from deploynix.http import Client


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.255.0.3", "10.1.2.3", "172.31.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0"),  # noqa: S104
        *("100.64.0.1", "192.0.0.8", "198.18.0.1", "224.0.0.1", "255.255.255.255", "240.0.0.1"),
        *("::1", "::", "fe80::1", "fd00::1", "fec0::1", "ff02::1", "2001:db8::1", "2001::1"),
        # IPv4 in IPv6: mapped, compatible, translated, NAT64, local NAT64, 6to4.
        *("::ffff:127.0.0.1", "::127.0.0.1", "::ffff:0:10.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::a00:1", "2002:a00:1::"),
    ],
)
def test_no_address_of_our_own_network_is_open(address: str) -> None:
    assert not is_open(ip_address(address))


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.215.14", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::"]
)
def test_the_internet_is_open(address: str) -> None:
    assert is_open(ip_address(address))


def test_an_operator_opens_a_network(settings: Settings) -> None:
    settings.OUTBOUND_ALLOW = ["10.20.0.0/16", "fd00:1::/32"]
    assert is_open(ip_address("10.20.3.4"))
    assert is_open(ip_address("::ffff:10.20.3.4"))
    assert is_open(ip_address("fd00:1::2"))
    assert not is_open(ip_address("10.21.3.4"))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "017700000001", "[::1]", "0"])
def test_no_spelling_of_loopback_is_connected_to(host: str) -> None:
    with pytest.raises(RefusedAddress, match="not on the public Internet"):
        open_connection(host.strip("[]"), 80, 1, None)


def test_a_name_is_refused_for_any_of_its_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(2, 1, 6, "", ("1.1.1.1", 443)), (2, 1, 6, "", ("10.0.0.1", 443))]
    monkeypatch.setattr("deploynix.guard.socket.getaddrinfo", lambda *_, **__: found)
    with pytest.raises(RefusedAddress, match=r"rebinding\.example leads to 10\.0\.0\.1"):
        open_connection("rebinding.example", 443, 1, None)


@pytest.mark.django_db
def test_nothing_is_asked_for_a_test_key() -> None:
    with undone([]), pytest.raises(RefusedInDryRun, match="is a dry run"):
        Client().send("GET", "https://1.1.1.1/")
