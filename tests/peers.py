"""PostgreSQL and Redis for tests and benchmarks: started on loopback at free ports, ended by process id."""

import os
import shutil
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tools.ports import free_port, listens

# Debian keeps the server's programs off PATH.
DEBIAN_POSTGRES = Path("/usr/lib/postgresql")
START_SECONDS = 30
STOP_SECONDS = 10
Command = Sequence[str | Path]


class Missing(Exception):
    """A program that a peer needs is not installed; the text says which package has it."""


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Polls until the condition is true; raises TimeoutError naming `what` when it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} took more than {seconds:g} s")
        time.sleep(0.02)


class Peer(ABC):
    """A server of its own folder and port. Used with `with`; in between it may be stopped and started again."""

    # The user who runs it where root runs the tests.
    user: str | None = None
    url: str

    def __init__(self) -> None:
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="deploynix-peer-", ignore_cleanup_errors=True)
        self.folder = Path(self._folder.name)
        if os.geteuid() != 0:
            self.user = None
        if self.user:
            shutil.chown(self.folder, self.user, self.user)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._folder.cleanup()

    @abstractmethod
    def command(self) -> Command: ...

    @abstractmethod
    def answers(self) -> bool: ...

    def start(self) -> None:
        log = self.folder / "log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                user=self.user,
                group=self.user,
            )
        try:
            wait_until(self.answers, START_SECONDS, f"starting {type(self).__name__}")
        except TimeoutError as error:
            self.stop()
            raise TimeoutError(f"{error}; its log:\n{log.read_text(errors='replace')}") from error

    def stop(self) -> None:
        if self._process is None:
            return
        # SIGINT is PostgreSQL's fast shutdown; Redis takes it as an order to end, too.
        self._process.send_signal(2)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


class Redis(Peer):
    """An empty Redis at `url`."""

    def __init__(self) -> None:
        self.program = shutil.which("redis-server")
        if self.program is None:
            raise Missing("redis-server is not installed: apt-get install redis-server")
        super().__init__()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> Command:
        options = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--dir", str(self.folder)]
        return [str(self.program), *options]

    def answers(self) -> bool:
        return listens("127.0.0.1", self.port)


class PostgreSQL(Peer):
    """An empty PostgreSQL; `url` is that of its database `deploynix`.

    Without `keeps_data` it does not wait for the disk, which only matters to somebody who pulls the plug.
    """

    # It refuses to run as root.
    user = "postgres"

    def __init__(self, *, keeps_data: bool = False) -> None:
        self.programs = postgres_programs()
        super().__init__()
        self.keeps_data = keeps_data
        self._data = self.folder / "data"
        self.server_url = f"postgres://deploynix@127.0.0.1:{self.port}"
        self.url = f"{self.server_url}/deploynix"

    def start(self) -> None:
        is_new = not self._data.exists()
        if is_new:
            options = ["-U", "deploynix", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
            self._run("initdb", "-D", str(self._data), *options)
        super().start()
        if is_new:
            self._run("createdb", f"--maintenance-db={self.server_url}/postgres", "deploynix")

    def command(self) -> Command:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
            "max_connections": "200",
            "fsync": "on" if self.keeps_data else "off",
        }
        options = [text for name, value in settings.items() for text in ("-c", f"{name}={value}")]
        return [self.programs / "postgres", "-D", self._data, *options]

    def answers(self) -> bool:
        ask = [str(self.programs / "pg_isready"), "--quiet", "--dbname", f"{self.server_url}/postgres"]
        return subprocess.run(ask).returncode == 0

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.programs / program), *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd="/", user=self.user, group=self.user)


def postgres_programs() -> Path:
    """The folder of PostgreSQL's programs, of the newest version where there are several."""
    versions = sorted(DEBIAN_POSTGRES.glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    found = versions[-1] if versions else shutil.which("postgres")
    if found is None:
        raise Missing("PostgreSQL's server is not installed: apt-get install postgresql")
    return Path(found).parent
