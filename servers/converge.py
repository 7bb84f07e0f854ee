"""Making a server's managed files what they should be, or telling how they differ, in one round trip."""

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from deploynix.errors import Error
from servers import ssh
from servers.managed import Managed, ManagedDirectory, ManagedFile, ManagedLink
from servers.ssh import Target
from servers.ssh.packed import SCRIPTS, modules

SCRIPT = SCRIPTS / "converge"
FIELDS: dict[type[Managed], str] = {
    ManagedFile: "files",
    ManagedDirectory: "directories",
    ManagedLink: "links",
}


@dataclass(frozen=True)
class Change:
    """How a path differs from what it should be. `action` (create, update, delete, mode) is what mends it.

    `diff` is a unified diff, None for a secret file and for one too large to compare.
    """

    path: str
    action: str
    diff: str | None
    secret: bool


@dataclass(frozen=True)
class Outcome:
    """What a convergence did; `confirmed` says that a guarded change was confirmed by a new login."""

    changed: tuple[Change, ...]
    reloaded: tuple[str, ...]
    confirmed: bool


class ConvergeFailed(Error):
    """A validation, a reload or a write failed; the server is as it was before.

    `output` is what the command said, and may quote the configuration.
    """

    code = "converge_failed"

    def __init__(self, command: str, output: str, path: str | None) -> None:
        where = f" for {path}" if path else ""
        super().__init__(
            f"The configuration was not changed: `{command}` failed{where}.",
            "The server is as it was before. The output of the command says what it refuses.",
        )
        self.command = command
        self.output = output
        self.path = path


class ChangeNotConfirmed(Error):
    """After a change of the firewall or of SSH no new login succeeded; the server puts it back by itself."""

    code = "change_not_confirmed"

    def __init__(self, seconds: float, reason: str) -> None:
        super().__init__(
            f"After the change no new login succeeded: {reason} The server puts its firewall and SSH settings "
            f"back within {seconds:g} seconds.",
            "Check that the new settings let this machine in, then apply them again.",
        )


def converge(target: Target, items: Iterable[Managed], *, guard_seconds: float = 60, timeout: float = 180) -> Outcome:
    """Applies the configuration, and removes what an earlier one had and this one has not.

    Raises ConvergeFailed (nothing is changed), ChangeNotConfirmed, and what `ssh.run_script` raises.
    """
    answer = _ask(target, _payload("apply", items, guard_seconds), timeout)
    if answer["guard"]:
        _confirm(target, answer["guard"], guard_seconds)
    return Outcome(_changes(answer), tuple(answer["reloaded"]), bool(answer["guard"]))


def compare(target: Target, items: Iterable[Managed], *, timeout: float = 60) -> tuple[Change, ...]:
    """What `converge` would change. Raises ConvergeFailed when it cannot be told."""
    return _changes(_ask(target, _payload("compare", items, 0), timeout))


def _payload(mode: str, items: Iterable[Managed], guard_seconds: float) -> dict[str, Any]:
    payload: dict[str, Any] = {"mode": mode, "guard_seconds": guard_seconds, "program": modules(SCRIPT)}
    payload |= {field: [] for field in FIELDS.values()}
    for item in sorted(items, key=lambda item: item.path):
        payload[FIELDS[type(item)]].append(_entry(item))
    return payload


def _entry(item: Managed) -> dict[str, Any]:
    entry = asdict(item)
    if isinstance(item, ManagedFile):
        entry["content"] = b64encode(item.content).decode()
    return entry


def _ask(target: Target, payload: Mapping[str, Any], timeout: float) -> dict[str, Any]:
    answer = _answer(ssh.run_script(target, SCRIPT, values=payload, timeout=timeout))
    if failed := answer.get("failed"):
        raise ConvergeFailed(failed["command"], failed["output"], failed["path"])
    return answer


def _answer(result: ssh.Result) -> dict[str, Any]:
    # sudo and the login shell may have said something before.
    answer: dict[str, Any] = json.loads(result.output.strip().rsplit(b"\n", 1)[-1])
    return answer


def _changes(answer: Mapping[str, Any]) -> tuple[Change, ...]:
    return tuple(Change(**change) for change in answer["changed"])


def _confirm(target: Target, guard: str, seconds: float) -> None:
    values = {"mode": "confirm", "guard": guard}
    try:
        result = ssh.run_script(target, SCRIPT, values=values, timeout=30, fresh=True)
    except Error as error:
        raise ChangeNotConfirmed(seconds, error.message) from error
    if not _answer(result).get("confirmed"):
        raise ChangeNotConfirmed(seconds, "it came too late.")
