"""Running other programs, and waiting for what they do."""

import shlex
import subprocess
import time
from collections.abc import Callable


class LabError(Exception):
    """What went wrong with a lab, and what to do about it."""


class Unsupported(LabError):
    """This machine cannot run target hosts, whoever asks for them."""


def run(*argv: str) -> str:
    """Runs a program to its end and returns its output; raises LabError with what it complained about."""
    try:
        result = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except FileNotFoundError:
        raise LabError(f"{argv[0]} is not installed: `build` installs what is missing") from None
    if result.returncode != 0:
        raise LabError(f"{shlex.join(argv)} failed: {result.stderr.strip()}")
    return result.stdout


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether the condition came true in time; asked twenty times a second."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
