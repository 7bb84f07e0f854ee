"""Keeps the programs running until a signal says stop, and then leaves none of them."""

import signal
import time
from collections.abc import Callable, Iterable

from deploynix.supervisor.child import Child, Program

STOPPING = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
WATCHED = STOPPING | {signal.SIGCHLD}
TICK_SECONDS = 0.2
# Together less than the 10 seconds that a stop may take. A job that is cut off resumes at the next start.
STOP_SECONDS = 6.0
KILL_SECONDS = 1.5


def say(text: str) -> None:
    print(f"deploynix: {text}", flush=True)


def supervise(programs: Iterable[Program], on_tick: Callable[[], None]) -> None:
    """Returns once a signal has asked for the end and every program has ended."""
    children = [Child(program) for program in programs]
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    try:
        while not _is_told_to_stop():
            for child in children:
                if line := child.tend():
                    say(line)
            on_tick()
    finally:
        say("stopping")
        _end([child for child in children if not child.program.is_last], STOP_SECONDS)
        _end([child for child in children if child.program.is_last], KILL_SECONDS)


def _is_told_to_stop() -> bool:
    received = signal.sigtimedwait(WATCHED, TICK_SECONDS)
    return received is not None and received.si_signo in STOPPING


def _end(children: list[Child], seconds: float) -> None:
    """Asks each to end, and kills what takes longer."""
    for child in children:
        child.send(signal.SIGTERM)
    deadline = time.monotonic() + seconds
    for child in children:
        child.wait(deadline)
        child.send(signal.SIGKILL)
        child.wait(time.monotonic() + KILL_SECONDS)
