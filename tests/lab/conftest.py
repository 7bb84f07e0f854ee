"""Real parts for tests: target hosts and a Git server, on a network that only this run uses."""

import fcntl
import itertools
import os
import subprocess
from collections.abc import Iterator

import pytest

from tests.lab.git_server import GitServer
from tools.targethost import Host, Lab, LabError, Unsupported
from tools.targethost.images import locked


def unsupported(reason: Unsupported) -> None:
    """Says why a machine cannot run a test: a skip, or a failure where everything has to be run."""
    if os.environ.get("DEPLOYNIX_REQUIRE_ALL") == "1":
        pytest.fail(f"cannot run here, and DEPLOYNIX_REQUIRE_ALL is set: {reason}", pytrace=False)
    pytest.skip(str(reason))


@pytest.fixture(scope="session")
def unused_lab() -> Iterator[Lab]:
    """A lab that nobody else uses: not another worker of this run, and not another run on this machine."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    try:
        for number in itertools.count(worker):
            lab = Lab(f"test{number}", f"10.89.{number}")
            try:
                with locked(lab.cache / f"{lab.name}.lock", fcntl.LOCK_EX | fcntl.LOCK_NB):
                    yield lab
                    return
            except BlockingIOError:
                continue
    except Unsupported as reason:
        unsupported(reason)
    except LabError as error:
        pytest.fail(str(error), pytrace=False)
