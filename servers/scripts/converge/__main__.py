"""Brings the managed files of this server to the desired state, or tells what differs. Runs as root.

Standard input is one line of JSON with a `mode`:

  compare, apply   `directories`, `files`, `links` (the fields of servers/managed.py, contents in base64), and
                   `guard_seconds` and `program`, the text of these modules.
                   Answers {"changed", "reloaded", "failed", "guard"}.
  confirm          `guard`, its name. Answers {"confirmed"}.
  restore          what the guard's timer runs.

Nothing outside the payload and the manifest of earlier runs is touched. If anything fails, all is put back.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any

import guard
import services
from items import Failed, load, put, put_back, save
from wanted import Want, change_of, managed_by, wants_of, without_secrets

STATE = "/var/lib/deploynix"
MANIFEST = f"{STATE}/manifest.json"
LOCK_SECONDS = 30


def converge(payload: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {"changed": [], "reloaded": [], "failed": None}
    manifest = load(MANIFEST) or {"managed": {}, "unfinished": []}
    wants: list[Want] = []
    try:
        wants = wants_of(payload, manifest["managed"])
        changes = [want for want in wants if want.item != want.current]
        answer["changed"] = [change_of(want) for want in changes]
        if payload["mode"] == "apply":
            answer["reloaded"] = apply(payload, manifest, wants, changes)
    except Failed as failed:
        answer["failed"] = describe(failed, wants)
    plan = guard.armed()
    return {**answer, "guard": plan and plan["guard"]}


def apply(payload: dict[str, Any], manifest: dict[str, Any], wants: list[Want], changes: list[Want]) -> list[str]:
    """Swaps, validates, reloads; or puts everything back and raises Failed. The services that were reloaded."""
    after: dict[str, Any] = {"managed": managed_by(wants), "unfinished": []}
    # What a run that was killed had swapped, but perhaps not reloaded, is finished by the next one.
    reloads = distinct([*manifest["unfinished"], *(want.entry["reload"] for want in changes)])
    if changes or reloads:
        for want in changes:
            services.judge_file(want.item, want.entry["validate"])
        save(MANIFEST, {"managed": {**manifest["managed"], **after["managed"]}, "unfinished": reloads})
        try:
            swap(payload, changes, reloads)
        except BaseException:
            save(MANIFEST, manifest)
            raise
    if changes or reloads or after != manifest:
        save(MANIFEST, after)
    return reloads


def swap(payload: dict[str, Any], changes: list[Want], reloads: list[str]) -> None:
    guarded, guard_before = [want for want in changes if want.entry["guarded"]], guard.armed()
    reloaded = []
    try:
        for want in changes:
            put(want.item, want.owner)
        services.judge_whole(distinct(want.entry["validate"] for want in changes))
        if guarded:
            guard.arm(guard.plan_of(guarded, payload, guard_before))
        for name in reloads:
            reloaded.append(name)
            services.reload(name)
    except BaseException as error:
        failures = put_back((want.current, want.owner) for want in reversed(changes))
        failures += services.reload_back(reloaded)
        if guarded:
            guard.disarm()
        if guarded and guard_before:
            guard.arm(guard_before)
        if isinstance(error, Failed) and failures:
            error.output += "\nPutting everything back failed too:\n" + "\n".join(failures)
        raise


def describe(failed: Failed, wants: list[Want]) -> dict[str, Any]:
    return {
        "command": failed.command,
        "output": without_secrets(failed.output, wants),
        "path": failed.path,
    }


def distinct(names: Iterable[str | None]) -> list[str]:
    return [name for name in dict.fromkeys(names) if name]


@contextlib.contextmanager
def lock() -> Iterator[None]:
    os.makedirs(STATE, 0o700, exist_ok=True)
    deadline = time.monotonic() + LOCK_SECONDS
    with open(f"{STATE}/converge.lock", "w") as file:
        while not locked(file.fileno()):
            if time.monotonic() > deadline:
                raise Failed("lock", "another change of the configuration is still running")
            time.sleep(0.02)
        yield


def locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


MODES = {"compare": converge, "apply": converge, "confirm": guard.confirm, "restore": guard.restore}


def main() -> None:
    payload = json.loads(sys.stdin.buffer.readline())
    os.umask(0o077)
    os.environ.update(PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL="C.UTF-8")
    try:
        with lock():
            answer = MODES[payload["mode"]](payload)
    except Failed as failed:
        answer = {"changed": [], "reloaded": [], "failed": describe(failed, []), "guard": None}
    print(json.dumps(answer))


main()
