"""Real parts for tests: target hosts and a Git server, on a network that only this run uses."""

import fcntl
import itertools
import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.lab.authorities import caddy, pebble, running_caddy, running_pebble
from tests.lab.engines import engine
from tests.lab.git_server import GitServer
from tests.lab.names import names, running_names
from tests.lab.provisioned import postgresql_image, provisioned_host, provisioned_image, provisioned_postgresql
from tests.lab.sites import shop
from tests.lab.stores import gate, seaweed, store
from tests.lab.workers import broker, workers
from tools.targethost import Host, Lab, LabError, Unsupported
from tools.targethost.images import locked

__all__ = [
    "addresses",
    "broker",
    "caddy",
    "engine",
    "gate",
    "git_server",
    "lab",
    "names",
    "pebble",
    "postgresql_image",
    "provisioned_host",
    "provisioned_image",
    "provisioned_postgresql",
    "running_caddy",
    "running_names",
    "running_pebble",
    "seaweed",
    "shop",
    "store",
    "target_host",
    "workers",
]


def unused_lab(claim: ExitStack) -> Lab:
    """A lab for this worker alone; another run on this machine may have taken the one of the worker's number."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    for number in itertools.count(worker):
        lab = Lab(f"test{number}", f"10.89.{number}")
        try:
            claim.enter_context(locked(lab.cache / f"{lab.name}.lock", fcntl.LOCK_EX | fcntl.LOCK_NB))
        except BlockingIOError:
            continue
        return lab
    raise AssertionError("numbers do not end")


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """A lab with its network up and image `base` built: skipped where it cannot run, failed where it might."""
    with ExitStack() as claim:
        try:
            lab = unused_lab(claim)
            # What a run that was killed left behind.
            lab.destroy()
            lab.build()
        except Unsupported as reason:
            if os.environ.get("DEPLOYNIX_REQUIRE_ALL") != "1":
                pytest.skip(str(reason))
            pytest.fail(f"{reason} (DEPLOYNIX_REQUIRE_ALL allows no skip)", pytrace=False)
        except LabError as error:
            pytest.fail(str(error), pytrace=False)
        claim.callback(lab.destroy)
        yield lab


@pytest.fixture(scope="session")
def addresses(lab: Lab) -> Iterator[str]:
    """Addresses for hosts, one `next(addresses)` each; a host may have that of one that was stopped before."""
    return itertools.cycle(f"{lab.gateway.rpartition('.')[0]}.{last}" for last in range(10, 250))


@pytest.fixture(scope="session")
def git_server(lab: Lab) -> Iterator[GitServer]:
    """A Git server that the lab's hosts can reach."""
    with GitServer(lab.gateway) as server:
        yield server


@pytest.fixture
def target_host(lab: Lab, addresses: Iterator[str]) -> Iterator[Host]:
    """A Debian server on its first day, thrown away after the test."""
    ip = next(addresses)
    host = lab.start(f"host-{ip.rpartition('.')[2]}", ip)
    yield host
    host.stop()
