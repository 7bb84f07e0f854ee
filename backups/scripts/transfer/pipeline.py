"""Programs that feed each other, every one of which has to end well."""

from __future__ import annotations

import fcntl
import os
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO

from talk import Failed

# What a pipe may hold without further rights (pipe(7)), and fcntl's number, which Python knows from 3.10 on.
PIPE_BYTES, SET_PIPE_SIZE = 1024 * 1024, 1031
TAIL = 2000


@dataclass
class Program:
    """One of them. `stage` is what it does for people, `accepted` are the exit codes that are no failure."""

    stage: str
    name: str
    command: list[str]
    env: dict[str, str] = field(default_factory=dict)
    accepted: tuple[int, ...] = (0,)


class Pipeline:
    """Starts them. `output` is what the last one writes, `input` what the first one reads where `is_fed`.

    `count` is how many bytes the second one was given.
    """

    def __init__(self, programs: Sequence[Program], *, is_fed: bool = False, is_read: bool = True) -> None:
        self.count = 0
        self._running: list[_Running] = []
        self._threads: list[threading.Thread] = []
        self.input: IO[bytes] | None = None
        source: IO[bytes] | int = subprocess.PIPE if is_fed else subprocess.DEVNULL
        try:
            for number, program in enumerate(programs):
                is_last = number == len(programs) - 1
                source = self._start(program, source, has_reader=is_read or not is_last)
                if number == 0 and not is_last:
                    source = self._counted(source)
        except BaseException:
            self.kill()
            raise
        self.output = source

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
        for thread in self._threads:
            thread.join()
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
        for thread in self._threads:
            thread.join()
        return ended

    def kill(self) -> None:
        for running in self._running:
            running.process.kill()

    def _start(self, program: Program, source: IO[bytes] | int, *, has_reader: bool) -> IO[bytes]:
        try:
            process = subprocess.Popen(
                program.command,
                stdin=source,
                stdout=subprocess.PIPE if has_reader else None,
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
        if process.stdout:
            widen(process.stdout)
        return process.stdout  # type: ignore[return-value]  # none where nobody reads it

    def _counted(self, source: IO[bytes]) -> IO[bytes]:
        reader, writer = os.pipe()
        widen(reader)
        thread = threading.Thread(target=self._move, args=(source, writer), daemon=True)
        thread.start()
        self._threads.append(thread)
        return open(reader, "rb", buffering=0)

    def _move(self, source: IO[bytes], writer: int) -> None:
        # A reader that is gone: `finish` finds out why.
        with source, suppress(BrokenPipeError):
            try:
                while moved := move(source.fileno(), writer):
                    self.count += moved
            finally:
                os.close(writer)


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


def widen(pipe: IO[bytes] | int) -> None:
    with suppress(OSError):
        fcntl.fcntl(pipe, SET_PIPE_SIZE, PIPE_BYTES)


def move(source: int, target: int) -> int:
    """Some bytes from one pipe to another, without a copy where Python can; 0 at the end."""
    if hasattr(os, "splice"):
        return os.splice(source, target, PIPE_BYTES)
    chunk = memoryview(os.read(source, PIPE_BYTES))
    written = 0
    while written < len(chunk):
        written += os.write(target, chunk[written:])
    return written
