"""Programs that feed each other, every one of which has to end well."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import IO, NamedTuple

from talk import Failed

# What a pipe may hold without further rights (pipe(7)), and fcntl's number, which Python knows from 3.10 on.
PIPE_BYTES, SET_PIPE_SIZE = 1024 * 1024, 1031
TAIL = 2000


class Program(NamedTuple):
    """One of them. `stage` is what it does for people, `accepted` are the exit codes that are no failure."""

    stage: str
    name: str
    command: list[str]
    env: Mapping[str, str] = MappingProxyType({})
    accepted: tuple[int, ...] = (0,)


class Pipeline:
    """Starts them. `output` is what the last one writes, `input` what the first one reads where `is_fed`."""

    def __init__(self, programs: Sequence[Program], *, is_fed: bool = False, is_read: bool = True) -> None:
        self._running: list[_Running] = []
        self.input: IO[bytes] | None = None
        source: IO[bytes] | int = subprocess.PIPE if is_fed else subprocess.DEVNULL
        self.output, end = read_by_us() if is_read else (None, None)
        try:
            for program in programs[:-1]:
                source = self._start(program, source, subprocess.PIPE)
                widen(source)
            self._start(programs[-1], source, end)
        except BaseException:
            self.kill()
            raise
        finally:
            if end:
                end.close()

    def passed(self) -> int:
        """How many bytes the second one has read, until it has been waited for: a few kB more than the first one gave
        it, as it has read itself in. Counting them on the way would cost as much as sending them. See
        proc_pid_io(5)."""
        with suppress(OSError), open(f"/proc/{self._running[1].process.pid}/io", encoding="ascii") as file:
            return int(file.readline().split()[1])
        return 0

    def finish(self) -> None:
        """Waits for all of them, and raises Failed for the one that is to blame.

        A program that dies ends those that feed it by SIGPIPE or an error, those that it feeds as if all were well:
        so the last one that failed is where it began.
        """
        failure = None
        for running in reversed(self._running):
            code = running.process.wait()
            running.reader.join()
            if code not in running.program.accepted and failure is None:
                failure = failure_of(running.program, code, running.said)
                self.kill()
        for running in self._running:
            running.tell()
        if failure:
            raise failure

    def wait(self) -> list[tuple[Program, int, str]]:
        """How each of them ended, and the last that it said, in their order."""
        ended = []
        for running in self._running:
            code = running.process.wait()
            running.reader.join()
            running.tell()
            ended.append((running.program, code, running.said))
        return ended

    def kill(self) -> None:
        for running in self._running:
            running.process.kill()

    def _start(self, program: Program, source: IO[bytes] | int, target: IO[bytes] | int | None) -> IO[bytes]:
        try:
            process = subprocess.Popen(
                program.command,
                stdin=source,
                stdout=target,
                stderr=subprocess.PIPE,
                env={**os.environ, **program.env},
            )
        except FileNotFoundError:
            raise Failed(program.stage, f"{program.name} is not installed on the server.") from None
        if not isinstance(source, int):
            source.close()
        if process.stdin:
            self.input = process.stdin
        self._running.append(_Running(program, process))
        return process.stdout  # type: ignore[return-value]  # none where it is not a pipe


class _Running:
    """A program under way, and the end of what it says."""

    def __init__(self, program: Program, process: subprocess.Popen[bytes]) -> None:
        self.program, self.process = program, process
        self._tail = b""
        self.reader = threading.Thread(target=self._listen, daemon=True)
        self.reader.start()

    @property
    def said(self) -> str:
        return self._tail.decode(errors="replace").strip()

    def tell(self) -> None:
        """Into the log, whether it failed or not: warnings stand there too."""
        for line in self.said.splitlines():
            print(f"{self.program.name}: {line}", flush=True)

    def _listen(self) -> None:
        with self.process.stderr as stream:
            while chunk := os.read(stream.fileno(), TAIL):
                self._tail = (self._tail + chunk)[-TAIL:]


def failure_of(program: Program, code: int, said: str) -> Failed:
    how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
    hint = "The server may have run out of memory." if code == -9 else ""
    return Failed(program.stage, f"{program.name} {how}.", hint, program=program.name, code=code, said=said)


def read_by_us() -> tuple[IO[bytes], IO[bytes]]:
    """What is written at the second end is read at the first. To read a pipe takes half as much CPU again: it is made
    of single pages, and frees each."""
    ours, theirs = socket.socketpair()
    return os.fdopen(ours.detach(), "rb"), os.fdopen(theirs.detach(), "wb")


def widen(pipe: IO[bytes]) -> None:
    with suppress(OSError):
        fcntl.fcntl(pipe, SET_PIPE_SIZE, PIPE_BYTES)
