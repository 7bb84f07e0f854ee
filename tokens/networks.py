"""Lists of networks in CIDR form. What is mapped from IPv4 (`::ffff:0:0/96`, RFC 4291) counts as IPv4."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network
# How many bits come before the IPv4 address in a mapped one.
_MAPPED_BITS = 96


def parse_network(text: str) -> Network:
    """A network, or the network of a single address. Raises ValueError for anything else, `10.0.0.1/8` included."""
    network = ip_network(text.strip())
    if isinstance(network, IPv4Network):
        return network
    if network.network_address.scope_id:
        raise ValueError(f"{text} has a zone")
    mapped = network.network_address.ipv4_mapped
    if mapped is None or network.prefixlen < _MAPPED_BITS:
        return network
    return IPv4Network((mapped, network.prefixlen - _MAPPED_BITS))


def holds(allowlist: Iterable[str], ip: str | None) -> bool:
    """Whether the address is in one of the networks."""
    if ip is None:
        return False
    address = _plain(ip)
    return any(address in network for network in _networks(tuple(allowlist)))


def _plain(ip: str) -> IPv4Address | IPv6Address:
    address = ip_address(ip)
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


@lru_cache(maxsize=4096)
def _networks(allowlist: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in allowlist)
