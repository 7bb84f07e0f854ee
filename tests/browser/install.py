"""Deploynix itself, started for real with an empty data folder, as `make run` does."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from tools.processes import ROOT, running_install
from tools.processes import Install as AnyInstall
from tools.targethost.process import wait_until

# What the tests' own settings and a run on PostgreSQL put into the environment is not for the product.
NOT_INHERITED = {"DATA", "DATABASE_URL", "DJANGO_SETTINGS_MODULE", "HOST", "REDIS_URL"}


class Install(AnyInstall):
    """A running Deploynix; the folder keeps its data and its output.

    with Install(folder) as install:
        requests.get(install.url)
    """

    def __init__(self, folder: Path, settings: Mapping[str, str] = {}) -> None:
        super().__init__(folder)
        self.settings |= settings

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(running_install(self, self._environment))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def mailed_link(self, address: str, path: str, seconds: float = 10) -> str:
        """The link below `path` in the newest mail to this address; without a mail server, mail is printed."""
        pattern = rf"^To: {re.escape(address)}$(?:(?!^To: ).)*?({re.escape(self.url + path)}\S+)"

        def links() -> list[str]:
            return re.findall(pattern, self.output, re.MULTILINE | re.DOTALL)

        assert wait_until(lambda: bool(links()), seconds), f"no mail to {address} with a link to {path}"
        return links()[-1]

    def manage(self, *arguments: str) -> None:
        """Runs one of the commands that an administrator has on the machine."""
        subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=self._environment, check=True)

    @property
    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
        return inherited | self.settings
