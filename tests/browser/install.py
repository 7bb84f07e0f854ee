"""Deploynix itself, started for real with an empty data folder, as `make run` does."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from deploynix.supervisor.child import die_with_parent
from tools.ports import free_port
from tools.targethost.process import wait_until

ROOT = Path(__file__).resolve().parents[2]
# What the tests' own settings and a run on PostgreSQL put into the environment is not for the product.
NOT_INHERITED = {"DATA", "DATABASE_URL", "DJANGO_SETTINGS_MODULE", "HOST", "REDIS_URL"}
START_SECONDS = 60
STOP_SECONDS = 15


class Install:
    """A running Deploynix; the folder keeps its data and its output.

    with Install(folder) as install:
        requests.get(install.url)
    """

    def __init__(self, folder: Path) -> None:
        self.port = free_port("127.0.0.1")
        self.url = f"http://localhost:{self.port}"
        self._folder = folder
        self._log = folder / "output.log"

    def __enter__(self) -> Self:
        with self._log.open("wb") as output:
            self._process = self._start(output.fileno())
        wait_until(lambda: "ready at" in self.output or self._process.poll() is not None, START_SECONDS)
        if "ready at" not in self.output:
            self._stop()
            raise RuntimeError(f"Deploynix did not start:\n{self.output}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    @property
    def output(self) -> str:
        return self._log.read_text(errors="replace")

    def mailed_link(self, address: str, path: str) -> str:
        """The link below `path` in the newest mail to this address; without a mail server, mail is printed."""
        pattern = rf"^To: {re.escape(address)}$(?:(?!^To: ).)*?({re.escape(self.url + path)}\S+)"

        def links() -> list[str]:
            return re.findall(pattern, self.output, re.MULTILINE | re.DOTALL)

        assert wait_until(lambda: bool(links()), 10), f"no mail to {address} with a link to {path}"
        return links()[-1]

    def manage(self, *arguments: str) -> None:
        """Runs one of the commands that an administrator has on the machine."""
        subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=self._environment, check=True)

    @property
    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
        # A test asks more often than a person.
        return inherited | {"DATA": str(self._folder / "data"), "PORT": str(self.port), "RATE_LIMIT_GENERAL": "1000"}

    def _start(self, output: int) -> subprocess.Popen[bytes]:
        parent = os.getpid()
        return subprocess.Popen(
            [sys.executable, "-m", "deploynix.supervisor"],
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            preexec_fn=lambda: die_with_parent(parent),
        )

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
