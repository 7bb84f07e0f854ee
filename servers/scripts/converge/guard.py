"""A change that puts itself back, unless somebody proves in time that the server still lets them in."""

from __future__ import annotations

import base64
import os
import shutil
import sys
from typing import Any

import services
from items import ROOT, Item, Owner, load, put, put_back, save
from wanted import Want

FOLDER = "/var/lib/deploynix/guard"
PROGRAM = f"{FOLDER}/program"
PLAN = f"{FOLDER}/plan.json"

Plan = dict[str, Any]


def armed() -> Plan | None:
    plan: Plan | None = load(PLAN)
    return plan


def plan_of(changes: list[Want], payload: dict[str, Any], before: Plan | None) -> Plan:
    """How to put the changes back, and those before them that nobody has confirmed yet."""
    originals = {want.item.path: pack(want) for want in changes}
    reloads = [want.entry["reload"] for want in changes if want.entry["reload"]]
    if before:
        originals.update(before["originals"])
        reloads = before["reloads"] + reloads
    return {
        "mode": "restore",
        "guard": f"dnx-guard-{os.urandom(6).hex()}",
        "seconds": payload["guard_seconds"],
        "program": payload["program"],
        "originals": originals,
        "reloads": list(dict.fromkeys(reloads)),
    }


def arm(plan: Plan) -> None:
    disarm()
    for folder in (FOLDER, PROGRAM):
        put(Item(folder, "directory", b"", 0o700), ROOT)
    for name, text in plan["program"].items():
        put(Item(f"{PROGRAM}/{name}.py", "file", text.encode(), 0o600), ROOT)
    save(PLAN, plan)
    # A timer is late by up to a minute unless it is told otherwise (systemd.timer(5)).
    timer = [f"--unit={plan['guard']}", f"--on-active={plan['seconds']}s", "--timer-property=AccuracySec=100ms"]
    command = ["-p", f"StandardInput=file:{PLAN}", sys.executable, "-I", PROGRAM]
    services.run(["systemd-run", "--quiet", "--collect", *timer, *command])


def disarm() -> None:
    plan = armed()
    if plan:
        services.stop_timer(plan["guard"])
    shutil.rmtree(FOLDER, ignore_errors=True)


def restore(payload: Plan) -> dict[str, Any]:
    """Run by the timer, with the plan as payload."""
    plan = armed()
    if not plan or plan["guard"] != payload["guard"]:
        return {"restored": False}
    failures = put_back(unpack(*packed) for packed in plan["originals"].values())
    failures += services.reload_back(plan["reloads"])
    shutil.rmtree(FOLDER)
    return {"restored": True, "failures": failures}


def confirm(payload: dict[str, Any]) -> dict[str, Any]:
    plan = armed()
    if not plan or plan["guard"] != payload["guard"]:
        return {"confirmed": False}
    disarm()
    return {"confirmed": True}


def pack(want: Want) -> list[Any]:
    fields = want.current._asdict()
    fields["content"] = base64.b64encode(want.current.content).decode()
    return [fields, list(want.owner)]


def unpack(fields: dict[str, Any], owner: list[int]) -> tuple[Item, Owner]:
    fields["content"] = base64.b64decode(fields["content"])
    return Item(**fields), Owner(*owner)
