"""Asking a database through its own client. Statements go to its standard input."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Refused(Exception):
    """The engine will not do it; `hint` says what somebody can do about it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def ask(command: Sequence[str], statements: str, environment: Mapping[str, str]) -> str:
    """The client's output. Raises Refused with what it complains about, in one line."""
    try:
        done = subprocess.run(
            command,
            input=statements.encode(),
            capture_output=True,
            check=False,
            cwd="/",
            env={"PATH": PATH, "LC_ALL": "C.UTF-8", **environment},
        )
    except FileNotFoundError as missing:
        raise Refused(f"{missing.filename} is not on the server.", "Install the database and its client.") from None
    if done.returncode:
        complaint = " ".join(done.stderr.decode(errors="replace").split()) or f"status {done.returncode}"
        raise Refused(f"The database refuses: {complaint}", "Mend that on the server, and try again.")
    return done.stdout.decode(errors="surrogateescape")


def unhex(text: str) -> str | None:
    """A name that the engine gave in hex; None where it is in an encoding that cannot be told."""
    try:
        return bytes.fromhex(text).decode()
    except UnicodeDecodeError:
        return None
