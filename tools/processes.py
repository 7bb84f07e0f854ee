"""Processes that end with the one that started them; Deploynix itself is one."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from deploynix.supervisor.child import die_with_parent
from tools.ports import free_port
from tools.targethost.process import wait_until

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 60
STOP_SECONDS = 15


class NotStarted(Exception):
    """What Deploynix said instead of becoming ready."""


@contextmanager
def running(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process whose output goes to `log`; without an `environment` it has that of this one."""
    parent = os.getpid()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            preexec_fn=lambda: die_with_parent(parent),
        )
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Install:
    """Where an install keeps its output and, unless told otherwise, its data; and where it answers."""

    def __init__(self, folder: Path, data: Path | None = None) -> None:
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.log = folder / "output.log"
        # Whoever starts one asks more often than a person: how a job goes, for example.
        self.settings = {"DATA": str(data or folder / "data"), "PORT": str(self.port), "RATE_LIMIT_GENERAL": "1000"}

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")


@contextmanager
def running_install(install: Install, environment: Mapping[str, str]) -> Iterator[None]:
    """Deploynix, as `make run` starts it. Raises NotStarted."""
    command = [sys.executable, "-m", "deploynix.supervisor"]
    with running(command, install.log, {**environment, **install.settings}) as process:
        wait_until(lambda: "ready at" in install.output or process.poll() is not None, START_SECONDS)
        if "ready at" not in install.output:
            raise NotStarted(f"Deploynix did not start:\n{install.output}")
        yield
