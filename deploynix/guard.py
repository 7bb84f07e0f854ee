"""Which addresses may be connected to, checked at the moment of connecting, and how soon an answer must begin."""

import http.client
import io
import socket
import time
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, cast

from django.conf import settings
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from deploynix.dry_run import is_dry_run
from deploynix.errors import Error

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
# For the status and all headers of an answer, each byte of which may come just in time.
HEAD_SECONDS = 60.0

# The special-purpose address registries of IANA, and multicast: none of them is a host on the Internet.
# https://www.iana.org/assignments/iana-ipv4-special-registry, .../iana-ipv6-special-registry
_REFUSED = tuple(
    ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        *("::/128", "::1/128", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23", "2001:db8::/32"),
        *("2620:4f:8000::/48", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"),
    )
)
# IPv6 networks whose addresses hold an IPv4 address, and the bits that follow it: it is what the packet reaches.
_EMBEDDING = (
    (ip_network("::ffff:0:0/96"), 0),  # mapped, RFC 4291
    (ip_network("::ffff:0:0:0/96"), 0),  # translated, RFC 2765
    (ip_network("::/96"), 0),  # compatible, RFC 4291
    (ip_network("64:ff9b::/96"), 0),  # NAT64, RFC 6052
    (ip_network("2002::/16"), 80),  # 6to4, RFC 3056
)


class Refused(Error):
    """A connection that is not made, whoever asks for it."""

    status = 422


class RefusedAddress(Refused):
    """The address is on a network that Deploynix must not be sent to."""

    code = "address_refused"

    def __init__(self, host: str, address: Address) -> None:
        super().__init__(
            f"{host} leads to {address}, which is not on the public Internet.",
            "Give a public address. The operator of this install can open a network of its own with OUTBOUND_ALLOW.",
        )


class RefusedInDryRun(Refused):
    """What a test key asks for stays inside."""

    code = "dry_run"

    def __init__(self, host: str) -> None:
        super().__init__(f"{host} is not asked for a test key: what it does is a dry run.", "Use a live key for this.")


def is_open(address: Address) -> bool:
    """Whether this may be connected to: a public address, or one that the operator has opened."""
    if any(address in network for network in _allowed(tuple(settings.OUTBOUND_ALLOW))):
        return True
    if any(address in network for network in _REFUSED):
        return False
    embedded = _embedded(address)
    return embedded is None or is_open(embedded)


def _embedded(address: Address) -> IPv4Address | None:
    if isinstance(address, IPv4Address):
        return None
    for network, shift in _EMBEDDING:
        if address in network:
            return IPv4Address((int(address) >> shift) & 0xFFFFFFFF)
    return None


@lru_cache(maxsize=8)
def _allowed(texts: Iterable[str]) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)


def open_connection(host: str, port: int, timeout: float | None, source: tuple[str, int] | None) -> socket.socket:
    """A connection to the first address of `host` that answers. Raises Refused before anything is sent, where one of
    them must not be reached and in a dry run, and OSError."""
    if is_dry_run():
        raise RefusedInDryRun(host)
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for *_, target in found:
        address = ip_address(str(target[0]).partition("%")[0])
        if not is_open(address):
            raise RefusedAddress(host, address)
    failure: OSError = OSError(f"{host} has no address")
    for family, kind, protocol, _, target in found:
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(timeout)
            if source:
                connection.bind(source)
            connection.connect(target)
        except OSError as error:
            connection.close()
            failure = error
        else:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
    raise failure


class _Reader(io.RawIOBase):
    """What a socket receives; until `deadline`, where there is one."""

    def __init__(self, raw: socket.SocketIO, deadline: float) -> None:
        self._raw, self.deadline = raw, cast(float | None, deadline)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise TimeoutError("the head of the answer takes too long")
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def begin(self) -> None:
        reader = _Reader(cast(Any, self.fp).detach(), time.monotonic() + HEAD_SECONDS)
        self.fp = io.BufferedReader(reader)
        super().begin()
        # How long the body may take is up to who reads it.
        reader.deadline = None


class _GuardedConnection(HTTPConnection):
    response_class = _Response

    def _new_conn(self) -> socket.socket:
        try:
            return open_connection(self._dns_host, self.port or self.default_port, self.timeout, self.source_address)
        except TimeoutError as error:
            raise ConnectTimeoutError(self, f"{self.host} did not answer in time") from error
        except OSError as error:
            raise NewConnectionError(self, f"{self.host} cannot be reached: {error}") from error


class _GuardedTlsConnection(_GuardedConnection, HTTPSConnection):
    """Its certificate is checked against the name, whatever the address."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _GuardedConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedTlsConnection


# For `urllib3.PoolManager.pool_classes_by_scheme`, by which requests, botocore and acme make their connections.
GUARDED_POOLS = {"http": _Pool, "https": _TlsPool}
