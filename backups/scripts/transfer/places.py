"""Where a backup is restored to. What all kinds have in common is `Place`."""

from __future__ import annotations

import re
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Any, cast

from pipeline import Program
from said import first_error

BLOCK = 1024 * 1024


class Place(ABC):
    """`live` is what will be replaced, `scratch` what is filled first."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values
        self.live, self.scratch = str(values["live"]), str(values["scratch"])
        self.facts: dict[str, Any] = values["facts"]

    @abstractmethod
    def folder(self) -> str:
        """On whose disk it is."""

    @abstractmethod
    def check(self) -> None:
        """Raises Failed where the backup cannot be loaded, or not be put in its place."""

    @abstractmethod
    def prepare(self) -> None:
        """Makes the scratch, empty, whatever an earlier attempt has left. Raises Failed."""

    @abstractmethod
    def loader(self) -> Program:
        """What reads the dump and fills the scratch."""

    def move(self, source: IO[bytes], sink: IO[bytes]) -> None:
        """Takes the dump to the loader. Raises Failed."""
        for block in blocks(source):
            sink.write(block)

    @abstractmethod
    def check_loaded(self) -> None:
        """Raises Failed where the scratch is not sound."""

    @abstractmethod
    def is_loaded(self) -> bool: ...

    @abstractmethod
    def is_swapped(self) -> bool:
        """Whether it has been put in its place, for good."""

    @abstractmethod
    def swap(self) -> None:
        """Puts the scratch in its place, and removes what was there. Raises Failed, with nothing changed."""

    @abstractmethod
    def discard(self) -> None:
        """Removes the scratch, and undoes what a swap that was not finished has done. Raises Failed."""

    def findings(self, query: str) -> Iterator[dict[str, Any]]:
        """What a drill looks at: `check`, `passed` and `detail` of each."""
        return iter(())


def blocks(source: IO[bytes]) -> Iterator[bytes]:
    while block := source.read(BLOCK):
        yield block


def finding(check: str, faults: list[str], well: str) -> dict[str, Any]:
    return {"check": check, "passed": not faults, "detail": "; ".join(faults)[:2000] or well}


def first_row_faults(command: list[str], statements: str, env: dict[str, str] | None = None) -> list[str]:
    """Nothing where at least one row came. What comes after it is not waited for."""
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, cwd="/"
    )
    with process:
        stdin, stdout, stderr = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout), process.stderr
        with suppress(BrokenPipeError), stdin:
            stdin.write(statements.encode())
        is_answered = stdout.read(1) != b""
        process.kill()
        said = cast(IO[bytes], stderr).read()
    if is_answered:
        return []
    return [f"It failed: {first_error(said)}"] if said.strip() else ["It gave no row."]


def numbers(version: str) -> tuple[int, int]:
    """The two that tell releases apart."""
    found = re.match(r"(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def place_of(values: dict[str, Any]) -> Place:
    # Each of them knows this module.
    from place_files import Files
    from place_mariadb import MariaDB
    from place_postgresql import PostgreSQL

    kinds: dict[str, type[Place]] = {"mariadb": MariaDB, "mysql": MariaDB, "postgresql": PostgreSQL, "files": Files}
    return kinds[values["engine"]](values)
