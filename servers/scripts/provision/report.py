"""What a step says: lines that begin with `changed:`, or, where it cannot go on, with `refused:` and `hint:`."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Sequence


class Refused(Exception):
    """This machine cannot be made what it should be; `hint` says what its owner can do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def changed(what: str) -> None:
    print(f"changed: {what}", flush=True)


def fine(what: str) -> None:
    print(f"ok: {what}", flush=True)


def run(*command: str, env: dict[str, str] | None = None) -> None:
    """Runs a command with its output in the log."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT, env=env, check=False)
    if done.returncode != 0:
        raise Refused(f"`{' '.join(command[:3])}` failed with status {done.returncode}.", "The log says why.")


def ask(*command: str, stdin: str = "") -> tuple[int, str]:
    """Exit status and output of a command that changes nothing."""
    done = subprocess.run(
        command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, encoding="utf-8"
    )
    return done.returncode, done.stdout.strip()


def enable(units: Sequence[str]) -> None:
    """Starts the services now and at every boot."""
    for unit in units:
        if ask("systemctl", "is-enabled", "--quiet", unit)[0] or ask("systemctl", "is-active", "--quiet", unit)[0]:
            run("systemctl", "enable", "--now", "--quiet", unit)
            changed(f"started {unit}")


def ensure_folder(path: str, mode: int, owner: str = "root") -> None:
    user = pwd.getpwnam(owner)
    if not os.path.isdir(path):
        os.mkdir(path)
        changed(f"made the folder {path}")
    elif os.stat(path).st_uid == user.pw_uid:
        return
    os.chown(path, user.pw_uid, user.pw_gid)
    os.chmod(path, mode)
