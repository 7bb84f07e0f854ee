"""Worker and beat processes on the test's own database, to be killed, stopped and woken."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection

from tests.peers import Redis

ROOT = Path(__file__).resolve().parents[2]
QUEUES = "interactive,provider,ssh,bulk"


def database_url() -> str:
    """The URL of the database that the running test uses."""
    part = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{part['NAME']}"
    login = f"{quote(part['USER'])}:{quote(part['PASSWORD'])}@" if part["USER"] else ""
    return f"postgresql://{login}{quote(part['HOST'], safe='')}:{part['PORT']}/{part['NAME']}"


class Workers:
    """Celery processes of the lab, each in a process group of its own."""

    def __init__(self, redis_url: str, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.lab.settings",
            "DATABASE_URL": database_url(),
            "REDIS_URL": redis_url,
            "DATA": str(folder / "data"),
            "FERNET_KEYS": ",".join(settings.FERNET_KEYS),
            "SECRET_KEY": settings.SECRET_KEY,
            "TOKEN_PEPPERS": ",".join(settings.TOKEN_PEPPERS),
        }
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "Workers":
        self._start("beat", "-s", str(self.folder / "beat-schedule"))
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            self._end(process)

    def start_worker(self, threads: int = 4) -> subprocess.Popen[bytes]:
        name = f"worker{len(self._processes)}@lab"
        return self._start("worker", "-P", "threads", "-c", str(threads), "-Q", QUEUES, "-n", name)

    def kill(self, pid: int) -> None:
        """Returns once it is gone: until then the broker would hand it messages."""
        process = next(process for process in self._processes if process.pid == pid)
        process.kill()
        process.wait()

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"process-{len(self._processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "deploynix", *arguments],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._processes.append(process)
        return process

    @staticmethod
    def _end(process: subprocess.Popen[bytes]) -> None:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        process.wait()


@pytest.fixture(scope="session")
def broker() -> Iterator[Redis]:
    with Redis() as server:
        yield server


@pytest.fixture
def workers(transactional_db: None, broker: Redis, tmp_path: Path) -> Iterator[Workers]:
    with Workers(broker.url, tmp_path) as started:
        yield started
