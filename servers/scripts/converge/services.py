"""The commands that judge a configuration and make services take it."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import subprocess
from collections.abc import Iterable

from items import ROOT, Failed, Item, put

COMMAND_SECONDS = 90
LARGEST_OUTPUT = 8000
CANDIDATE = "/var/lib/deploynix/candidate"

# These judge one file before it is in place; the others judge the whole configuration once it is.
JUDGES_OF_A_FILE = {"visudo": ["visudo", "-cf"], "nftables": ["nft", "-c", "-f"]}
JUDGES_OF_THE_WHOLE = {
    "nginx": ["nginx", "-t"],
    # With socket activation nothing has made this folder yet.
    "sshd": ["sh", "-c", "mkdir -p /run/sshd && sshd -t"],
    "supervisor": ["supervisorctl", "reread"],
}
RELOADS = {
    "sshd": ["systemctl", "reload-or-restart", "ssh"],
    "supervisor": ["supervisorctl", "update"],
    "systemd": ["systemctl", "daemon-reload"],
    "sysctl": ["sysctl", "--system"],
}


def run(command: list[str], path: str | None = None) -> None:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=COMMAND_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failed(shlex.join(command), str(error), path) from None
    if done.returncode != 0:
        raise Failed(shlex.join(command), done.stdout[-LARGEST_OUTPUT:].decode("utf-8", "replace"), path)


def judge_file(item: Item, name: str) -> None:
    """Does nothing for a file that can only be judged in its place."""
    if name in JUDGES_OF_A_FILE and item.kind == "file":
        put(item._replace(path=CANDIDATE, mode=0o440, uid=0, gid=0), ROOT)
        try:
            run([*JUDGES_OF_A_FILE[name], CANDIDATE], item.path)
        finally:
            os.unlink(CANDIDATE)


def judge_whole(names: Iterable[str]) -> None:
    for name in names:
        if re.fullmatch(r"php-fpm\d+\.\d+", name):
            run([name, "-t"])
        elif name in JUDGES_OF_THE_WHOLE:
            run(JUDGES_OF_THE_WHOLE[name])
        elif name not in JUDGES_OF_A_FILE:
            raise Failed("validate", f"there is no validator {name}")


def reload(name: str) -> None:
    run(RELOADS.get(name, ["systemctl", "reload-or-restart", "--", name]))


def reload_back(names: Iterable[str]) -> list[str]:
    """Like `reload` for each, but goes on after a failure. What failed."""
    failures = []
    for name in names:
        try:
            reload(name)
        except Failed as failed:
            failures.append(f"{failed.command}: {failed.output}")
    return failures


def stop_timer(unit: str) -> None:
    with contextlib.suppress(Failed):
        run(["systemctl", "stop", f"{unit}.timer"])
