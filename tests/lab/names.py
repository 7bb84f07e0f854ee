"""A name space that only this run knows: a root, the zones below it, their servers, and a resolver for them.

All on port 53 of loopback addresses, which needs root. `Names.opened(settings)` makes the code under test use them.
"""

import fcntl
import itertools
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.lab.dns_servers import Bind, DnsServer, PowerDns, Resolver, Secondary, Served
from tests.peers import Missing, wait_until
from tools.targethost.images import locked

# By server: the last one is copied by the secondary, which lags.
BIND_ZONES = ("example.test", "proofs.test", "lame.test", "slow.test")
PDNS_ZONES = ("pdns.test",)


class Names:
    """`resolver` is the install's own, `public` that of everybody else.

    `bind` (RFC 2136) serves BIND_ZONES, `pdns` (HTTP API) PDNS_ZONES; `values()` of each is a credential for it.

    slow.test is served by `secondary`, too: what is put there is not seen there before `secondary.catch_up(zone)`.
    It answers SERVFAIL for never-copied.test, which nobody has delegated to it.
    lame.test names `pdns` as its second server, which knows nothing of it and refuses. At `silent` nobody answers.
    """

    def __init__(self, network: str) -> None:
        root, bind, secondary, pdns, resolver, public, self.silent = (
            f"{network}.{last}" for last in (1, 2, 3, 4, 8, 9, 66)
        )
        self.root = Bind(root, 53, (".", "test", "org"))
        self.bind = Bind(bind, 53, BIND_ZONES)
        self.secondary = Secondary(secondary, self.bind, ("slow.test", "never-copied.test"))
        self.pdns = PowerDns(pdns, 53, PDNS_ZONES)
        self.resolver = Resolver(resolver, root)
        self.public = Resolver(public, root)
        self._running = ExitStack()

    def __enter__(self) -> "Names":
        with ExitStack() as starting:
            # BIND listens only at addresses that an interface has.
            for server in (self.root, self.bind, self.secondary, self.resolver, self.public):
                starting.enter_context(on_loopback(server.address))
            servers: list[DnsServer] = [self.root, self.bind, self.pdns, self.resolver, self.public]
            for each in servers:
                starting.enter_context(each)
            self._delegate_all()
            starting.enter_context(self.secondary)
            wait_until(self.secondary.has_copied, 10, "the first copy of slow.test")
            self._running = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def _delegate_all(self) -> None:
        self.delegate("test", ns1=self.root.address)
        for zone in BIND_ZONES[:2]:
            self.delegate(zone, ns1=self.bind.address)
        self.delegate("pdns.test", ns1=self.pdns.address)
        for zone, second in (("lame.test", self.pdns), ("slow.test", self.secondary)):
            self.delegate(zone, ns1=self.bind.address, ns2=second.address)
            Served(self.bind).add(zone, f"ns2.{zone}", "A", second.address)
            Served(self.bind).add(zone, zone, "NS", f"ns2.{zone}.")

    def delegate(self, zone: str, **servers: str) -> None:
        """Names the zone's servers to the world: `ns1` stands for ns1.<zone>, at this address."""
        above = zone.partition(".")[2] or "."
        for label, address in servers.items():
            self.delegate_to(zone, f"{label}.{zone}")
            Served(self.root).add(above, f"{label}.{zone}", "A", address, ttl=1)

    def delegate_to(self, zone: str, server: str) -> None:
        """Names a server that has its address elsewhere, or none."""
        Served(self.root).add(zone.partition(".")[2] or ".", zone, "NS", f"{server}.", ttl=1)

    def opened(self, settings: Settings) -> None:
        settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]
        settings.DNS_RESOLVERS = [self.resolver.address]


@pytest.fixture(scope="session")
def running_names() -> Iterator[Names]:
    """Skipped where it cannot run."""
    if os.geteuid() != 0:
        pytest.skip("name servers on port 53 need root")
    with ExitStack() as claim:
        try:
            names = claim.enter_context(Names(unused_network(claim)))
        except Missing as reason:
            pytest.skip(str(reason))
        yield names


@pytest.fixture
def names(running_names: Names, settings: Settings) -> Names:
    """The name space, in use for the test, with nothing in its zones."""
    running_names.opened(settings)
    for server in (running_names.bind, running_names.pdns):
        Served(server).clear()
    return running_names


@contextmanager
def on_loopback(address: str) -> Iterator[None]:
    subprocess.run(["ip", "address", "replace", f"{address}/32", "dev", "lo"], check=True)
    try:
        yield
    finally:
        subprocess.run(["ip", "address", "delete", f"{address}/32", "dev", "lo"], check=True)


def unused_network(claim: ExitStack) -> str:
    """Loopback addresses that no other run on this machine uses."""
    for number in itertools.count():
        path = Path(tempfile.gettempdir()) / f"deploynix-names-{number}.lock"
        try:
            claim.enter_context(locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB))
        except BlockingIOError:
            continue
        return f"127.53.{number}"
    raise AssertionError("numbers do not end")
