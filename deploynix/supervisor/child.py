"""A program that the supervisor keeps running, in a process group of its own."""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass

PR_SET_PDEATHSIG = 1  # prctl(2)
FIRST_DELAY = 0.2
LONGEST_DELAY = 30.0
# A program that ran this long before it ended is started again without a longer wait than the first.
SETTLED_SECONDS = 30.0

_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(parent: int) -> None:
    """Makes the kernel kill the calling process when its parent ends, however that ends."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


@dataclass(frozen=True, slots=True)
class Program:
    """What to run; `is_last` marks the one that the others need to the end."""

    name: str
    command: Sequence[str]
    inherited_fds: Sequence[int] = ()
    is_last: bool = False


class Child:
    def __init__(self, program: Program) -> None:
        self.program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._start_at = 0.0
        self._delay = FIRST_DELAY

    def tend(self) -> str:
        """Starts the program where it is due. Returns a line to print when it has just ended, else an empty text."""
        if self._process is None:
            if time.monotonic() >= self._start_at:
                self._start()
            return ""
        code = self._process.poll()
        return "" if code is None else self._ended(code)

    def send(self, number: signal.Signals) -> None:
        """Signals the program and whatever it has started."""
        if self._process is None:
            return
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return

    def wait(self, deadline: float) -> bool:
        """Waits for the end until `deadline` (of time.monotonic); says whether it came."""
        if self._process is None:
            return True
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
        return True

    def _start(self) -> None:
        parent = os.getpid()
        self._started_at = time.monotonic()
        self._process = subprocess.Popen(
            self.program.command,
            stdin=subprocess.DEVNULL,
            pass_fds=self.program.inherited_fds,
            start_new_session=True,
            # Safe: the supervisor has one thread.
            preexec_fn=lambda: _enter(parent),
        )

    def _ended(self, code: int) -> str:
        self.send(signal.SIGKILL)
        self._process = None
        now = time.monotonic()
        if now - self._started_at >= SETTLED_SECONDS:
            self._delay = FIRST_DELAY
        self._start_at = now + self._delay
        line = f"{self.program.name} ended with code {code}; starting it again in {self._delay:g} s"
        self._delay = min(LONGEST_DELAY, self._delay * 2)
        return line


def _enter(parent: int) -> None:
    # The supervisor blocks the signals it waits for, and a program would inherit that.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    die_with_parent(parent)
