"""A web process to measure, on a core of its own where there are two."""

import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.report import WrongAnswer
from tests.peers import wait_until
from tools.ports import free_port, listens

TICKS = os.sysconf("SC_CLK_TCK")
START_SECONDS = 60


def own_core() -> None:
    """Puts this process on the last core: the others are the web processes'."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[-1:])


class Web:
    """One worker of gunicorn, configured as the product's own, serving `application` on the first core."""

    def __init__(self, application: str, settings: str, **environment: str) -> None:
        self.port = free_port()
        self._application = application
        self._environment = os.environ | {"DJANGO_SETTINGS_MODULE": settings} | environment
        self._log = Path(os.environ["DATA"]) / f"{application}.log"

    def __enter__(self) -> Self:
        command = ["gunicorn", "--config", "python:deploynix.gunicorn", "--workers", "1"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *command, "--bind", f"127.0.0.1:{self.port}", self._application],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        # Its worker, forked later, inherits it.
        os.sched_setaffinity(self._process.pid, {0})
        wait_until(self._answers, START_SECONDS, f"starting {self._application}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(30)

    @property
    def cpu_seconds(self) -> float:
        """What the worker has used of its core until now: proc(5), utime and stime."""
        fields = Path(f"/proc/{self._worker}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    @property
    def _worker(self) -> str:
        pid = self._process.pid
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0]

    def _answers(self) -> bool:
        if self._process.poll() is not None:
            raise WrongAnswer(f"{self._application} ended:\n{self._log.read_text()[-2000:]}")
        return listens("127.0.0.1", self.port)
