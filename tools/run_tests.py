"""Runs every test suite that this machine can run, or those named, and says what it could not and why.

With DEPLOYNIX_REQUIRE_ALL=1, as in CI, a suite that cannot run and a test that is skipped fail the run.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from tests import peers

ROOT = Path(__file__).parent.parent
NOTHING_COLLECTED = 5  # pytest's exit code
CHROMIUM = Path("/usr/bin/chromium")


class CannotRun(Exception):
    """Why a suite cannot run on this machine."""


@dataclass(frozen=True)
class Suite:
    name: str
    arguments: tuple[str, ...]
    check: Callable[[], None] = lambda: None
    on_postgres: bool = False
    # Runs only where it is named.
    takes_long: bool = False

    def run(self, extra: list[str]) -> int:
        """Runs pytest and returns its exit code. Raises CannotRun."""
        self.check()
        try:
            database = peers.PostgreSQL() if self.on_postgres else None
        except peers.Missing as error:
            raise CannotRun(str(error)) from error
        with database or nullcontext():
            environment = os.environ | ({"DATABASE_URL": database.url} if database else {})
            command = [sys.executable, "-m", "pytest", "-q", *self.arguments, *extra]
            return subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL).returncode


def need_target_hosts() -> None:
    if not Path("/etc/debian_version").exists() or shutil.which("apt-get") is None:
        raise CannotRun("target hosts need Debian, for its packages and its mirror")
    if os.geteuid() != 0:
        raise CannotRun("target hosts need root: they make namespaces and a network bridge")


def need_chromium() -> None:
    if not CHROMIUM.exists():
        raise CannotRun("Chromium is not installed: apt-get install chromium")


# Loopback only: some tests show what happens where nobody listens.
NO_NETWORK = ("--allow-hosts=127.0.0.1,::1", "--allow-unix-socket")
ON_ALL_CORES = ("-n", "auto")
# The tests of a file share hosts and peers.
BY_FILE = (*ON_ALL_CORES, "--dist", "loadfile")
NO_PARTS = ("-m", "not lab and not browser and not e2e", *NO_NETWORK, *ON_ALL_CORES)
# Each walks all operations of the API: with what its description allows, with every kind of token, with ids of others.
OWN_CONTRACT = (
    "tests/deploynix_api/test_contract.py",
    "tests/deploynix_api/test_dry_run.py",
    "tests/deploynix_api/test_foreign_ids.py",
    "tests/tokens/test_matrix.py",
    "tests/tokens/test_resources.py",
)
UNIT = ("--ignore=tests/contract", *(f"--ignore={file}" for file in OWN_CONTRACT), *NO_PARTS)
SOAK = ("--hypothesis-profile=soak",)
SUITES = (
    Suite("unit", UNIT),
    Suite("unit-postgresql", UNIT, on_postgres=True),
    # What adapters send to their vendors, what they make of the answers, and what our own API answers.
    Suite("contract", ("tests/contract", *OWN_CONTRACT, *NO_PARTS)),
    Suite("contract-postgresql", (*OWN_CONTRACT, *NO_PARTS), on_postgres=True),
    Suite("lab", ("-m", "lab", *BY_FILE), check=need_target_hosts),
    # Once more, but for what touches no database of ours, or would show nothing new there.
    Suite(
        "lab-postgresql",
        ("-m", "lab and django_db and not elsewhere", *BY_FILE),
        check=need_target_hosts,
        on_postgres=True,
    ),
    Suite("browser", ("-m", "browser"), check=need_chromium),
    # Runs the main job on each database by itself.
    Suite("e2e", ("-m", "e2e"), check=need_target_hosts),
    # The same tests as in the suites above, on thousands of examples and in many rounds.
    Suite("soak", ("-m", "soak and not lab", *SOAK, *NO_NETWORK, *ON_ALL_CORES), takes_long=True),
    Suite(
        "soak-postgresql",
        ("-m", "soak and django_db and not lab", *SOAK, *NO_NETWORK),
        on_postgres=True,
        takes_long=True,
    ),
    Suite("soak-lab", ("-m", "soak and lab", *SOAK), check=need_target_hosts, takes_long=True),
)


def main(names: list[str]) -> int:
    requires_all = os.environ.get("DEPLOYNIX_REQUIRE_ALL") == "1"
    extra = ["-p", "tests.no_skips"] if requires_all else []
    outcomes = {}
    for suite in chosen(names):
        print(f"\n=== {suite.name}", flush=True)
        started = time.monotonic()
        try:
            outcome = verdict(suite.run(extra))
        except CannotRun as reason:
            outcome = f"not run: {reason}"
        outcomes[suite.name] = outcome
        print(f"=== {suite.name}: {outcome} ({time.monotonic() - started:.0f} s)", flush=True)
    return summary(outcomes, requires_all)


def chosen(names: list[str]) -> list[Suite]:
    """Those named, or all that do not take long. Raises SystemExit for a name that none has."""
    by_name = {suite.name: suite for suite in SUITES}
    if unknown := set(names) - set(by_name):
        raise SystemExit(f"There is no suite {', '.join(sorted(unknown))}; there are {', '.join(by_name)}.")
    return [by_name[name] for name in names] or [suite for suite in SUITES if not suite.takes_long]


def verdict(code: int) -> str:
    return {0: "passed", NOTHING_COLLECTED: "not run: it has no tests"}.get(code, "FAILED")


def summary(outcomes: dict[str, str], requires_all: bool) -> int:
    print("\n=== summary")
    for name, outcome in outcomes.items():
        print(f"{name}: {outcome}")
    failed = [name for name, outcome in outcomes.items() if outcome == "FAILED"]
    not_run = [name for name, outcome in outcomes.items() if outcome.startswith("not run")]
    if not_run and requires_all:
        print("DEPLOYNIX_REQUIRE_ALL=1 does not allow a suite that does not run.")
    return 1 if failed or (not_run and requires_all) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
