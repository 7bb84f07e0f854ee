"""Making one SSH connection: which address, which host key, which errors."""

import asyncio
import ipaddress
import random
import socket
from dataclasses import dataclass, field

import asyncssh
from django.conf import settings

from deploynix.errors import Error
from servers.ssh import keys
from servers.ssh.errors import HostKeyChanged, LoginRefused, SSHError, Unreachable

CONNECT_SECONDS = 10.0
ATTEMPTS = 3
KEEPALIVE_SECONDS, KEEPALIVES_MISSED = 2, 3
HOST_KEY_ALGORITHMS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)


@dataclass(frozen=True)
class Target:
    """A login on a server.

    `private_key` is an OpenSSH PEM text; `host_key` the pinned public key line, None until first contact;
    `become` says that commands need `sudo -n` to run as root.
    """

    host: str
    port: int
    username: str
    private_key: str = field(repr=False)
    host_key: str | None
    become: bool = False

    @property
    def login(self) -> tuple[str, int, str, str, str | None]:
        """Equal for targets that can share a connection."""
        return self.host, self.port, self.username, self.private_key, self.host_key


class _Witness(asyncssh.SSHClient):
    """Remembers the host key that was not the pinned one."""

    presented = ""

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        self.presented = str(key.get_fingerprint())
        return False


async def connect(target: Target) -> asyncssh.SSHClientConnection:
    """A new connection. Raises Unreachable, HostKeyChanged, LoginRefused, or Error for an unreadable key."""
    addresses = await addresses_of(target.host, target.port)
    for attempt in range(ATTEMPTS):
        try:
            return await _connect_once(target, addresses[attempt % len(addresses)])
        except Unreachable:
            if attempt + 1 == ATTEMPTS:
                raise
            # Many workers may be waiting for the same server to come back.
            await asyncio.sleep(0.3 * 2**attempt * random.uniform(0.5, 1.5))  # noqa: S311
    raise AssertionError("unreachable")


async def _connect_once(target: Target, address: str) -> asyncssh.SSHClientConnection:
    if target.host_key is None:
        raise SSHError(f"The host key of {target.host} is not known yet.", "Pin it at first contact before logging in.")
    pinned, witness = keys.read_public_key(target.host_key), _Witness()
    accepted = [name.decode() for name in pinned.sig_algorithms]
    client_key = keys.read_private_key(target.private_key)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            return await asyncssh.connect(
                address,
                target.port,
                username=target.username,
                client_factory=lambda: witness,
                client_keys=[client_key],
                preferred_auth="publickey",
                known_hosts=([pinned], [], []),
                # All are offered, so that a server with another kind of key gets as far as showing it.
                server_host_key_algs=sorted(HOST_KEY_ALGORITHMS, key=lambda name: name not in accepted),
                agent_path=None,
                config=None,
                gss_host=None,
                encoding=None,
                keepalive_interval=KEEPALIVE_SECONDS,
                keepalive_count_max=KEEPALIVES_MISSED,
            )
    except asyncssh.HostKeyNotVerifiable:
        raise HostKeyChanged(target.host, keys.fingerprint(target.host_key), witness.presented) from None
    except asyncssh.PermissionDenied:
        raise LoginRefused(target.host, target.username) from None
    except (OSError, asyncssh.Error) as error:
        raise Unreachable(target.host, target.port, _reason(error)) from error


async def presented_host_key(host: str, port: int, seconds: float) -> str:
    """The public key line that the server shows. Raises Unreachable."""
    addresses = await addresses_of(host, port)
    try:
        async with asyncio.timeout(seconds):
            key = await asyncssh.get_server_host_key(
                addresses[0], port, server_host_key_algs=HOST_KEY_ALGORITHMS, config=None
            )
    except (OSError, asyncssh.Error) as error:
        raise Unreachable(host, port, _reason(error)) from error
    if key is None:
        raise Unreachable(host, port, "it showed no host key", retryable=False)
    return keys.public_line(key)


async def addresses_of(host: str, port: int) -> list[str]:
    """The addresses behind a name. Raises Unreachable for an unknown one, Error for a forbidden one."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Unreachable(host, port, _reason(error)) from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        check_address(address, allow_private=settings.SSH_ALLOW_PRIVATE)
    return addresses


def check_address(address: str, *, allow_private: bool) -> None:
    """Raises Error for an address that no server can have: this machine itself, or a multicast group."""
    ip = ipaddress.ip_address(address)
    ip = getattr(ip, "ipv4_mapped", None) or ip
    if ip.is_loopback or ip.is_unspecified or ip.is_multicast or ip in ipaddress.ip_network("0.0.0.0/8"):
        raise Error(f"{address} is not the address of a server.", "Give the address at which other machines reach it.")
    if not allow_private and not ip.is_global:
        raise Error(f"{address} is a private address.", "The setting SSH_ALLOW_PRIVATE opens private networks.")


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it does not answer"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there"
    if isinstance(error, socket.gaierror):
        return "the name is not known"
    if isinstance(error, OSError):
        return error.strerror or "the network failed"
    return str(error) or "the connection was closed"
