"""Long commands as systemd units of a server, which outlive the connection and the worker."""

import re
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploynix.errors import Error
from servers import ssh
from servers.ssh import (
    CommandFailed,
    ConnectionLost,
    Packed,
    Result,
    Stream,
    Target,
    TimedOut,
    Unreachable,
)

NAME = re.compile(r"dnx-[A-Za-z0-9-]{1,120}")
# As written by scripts/unit.sh. A chatty login shell may have said something before the header.
HEADER = re.compile(rb"unit (started|followed) (\d+)\n")
TRAILER = re.compile(rb"unit (exited|killed|dumped|lost) ?(\w*)\s*\Z")

POLL_SECONDS = 0.5
RECONNECT_SECONDS = 600.0
MOST_STARTS = 3


class Interrupted(Error):
    """A restart of the server ended a unit that must not run twice."""

    status = 502
    code = "interrupted"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The server was restarted before {what} had ended.",
            "What it had done by then stays done. It is not run again by itself.",
        )


def start_or_follow(
    target: Target,
    unit_name: str,
    script: Path | str,
    *,
    values: Mapping[str, Any],
    on_output: Callable[[bytes], None],
    should_stop: Callable[[], bool],
    timeout: float,
    user: str = "root",
    offset: int = 0,
    once: bool = False,
) -> int:
    """Runs a script (see `ssh.pack`) as the unit `dnx-...`, or follows one of that name, to its exit code.

    Every byte of output and error goes to `on_output` in order, from byte `offset` of the log on, or from 0
    if the unit has to be started. A lost connection is made again for ten minutes; a unit that a restart of
    the server ended is started again, but not with `once`. `should_stop` is asked twice a second; True ends
    the unit with all its processes, mostly with exit code 128 + 15. `user` is a Linux user, in whose home the
    script runs.

    Raises TimedOut after `timeout` seconds (the unit is ended), CommandFailed if the server cannot start it,
    Interrupted where `once` forbids to start it again, and what connecting raises. `clean` removes what stays
    behind on the server.
    """
    run = _Run(
        target,
        _checked_name(unit_name),
        ssh.pack(script, values),
        user,
        on_output,
        should_stop,
        timeout,
        offset,
        once,
    )
    while True:
        exit_code = run.follow_while_connected()
        if exit_code is not None:
            return exit_code
        run.pause()


def stop(target: Target, unit_name: str) -> None:
    """Ends the unit and all its processes, if it runs: SIGTERM, and five seconds later SIGKILL."""
    ssh.run(target, ["systemctl", "stop", f"{_checked_name(unit_name)}.service"], check=False)


def clean(target: Target, unit_name: str) -> None:
    """Ends the unit if it runs, and removes its log and exit code: the name is as good as new."""
    stop(target, unit_name)
    ssh.run(target, ["rm", "-rf", f"/var/lib/deploynix/units/{unit_name}", f"/run/deploynix/{unit_name}"])


def _checked_name(unit_name: str) -> str:
    if not NAME.fullmatch(unit_name):
        raise Error(f"{unit_name!r} is no name for a unit.")
    return unit_name


@dataclass
class _Run:
    """One unit as seen from here: what was read of its log, and when it was last heard of."""

    target: Target
    name: str
    packed: Packed
    user: str
    on_output: Callable[[bytes], None]
    should_stop: Callable[[], bool]
    timeout: float
    offset: int
    once: bool
    began_at: float = field(default_factory=time.monotonic)
    heard_at: float | None = None
    asked_at: float = 0.0
    starts: int = 0
    pauses: int = 0

    def follow_while_connected(self) -> int | None:
        try:
            with ssh.stream(self.target, *self._helper()) as stream:
                for chunk in self._log(stream):
                    if chunk:
                        self.offset += len(chunk)
                        self.on_output(chunk)
                    self._stop_if_wanted()
                return self._exit_code(stream.finish())
        except (ConnectionLost, Unreachable):
            if self.heard_at is None or time.monotonic() - self.heard_at > RECONNECT_SECONDS:
                raise
            return None

    def pause(self) -> None:
        self._check_time()
        time.sleep(min(0.2 * 2**self.pauses, 5.0))
        self.pauses += 1

    def _helper(self) -> tuple[list[str], bytes]:
        packed = self.packed
        values = {"UNIT": self.name, "RUN_AS": self.user, "OFFSET": str(self.offset), "ONCE": "yes" * self.once}
        values |= {"PROGRAM": packed.program, "FLAG": packed.flag, "BOOT": packed.boot, "NAME": packed.name}
        helper = ssh.pack("unit.sh", values, packed.data)
        return helper.command, helper.data

    def _log(self, stream: Stream) -> Iterator[bytes]:
        """The log without the header, which says at which offset it begins."""
        head: bytes | None = b""
        for chunk in stream.chunks(POLL_SECONDS):
            if head is None:
                yield chunk
                continue
            head += chunk
            if header := HEADER.search(head):
                self._heard(header)
                yield head[header.end() :]
                head = None

    def _heard(self, header: re.Match[bytes]) -> None:
        self.heard_at, self.pauses = time.monotonic(), 0
        self.offset = int(header[2])
        self.starts += header[1] == b"started"

    def _stop_if_wanted(self) -> None:
        now = time.monotonic()
        if now - self.asked_at < POLL_SECONDS:
            return
        self.asked_at = self.heard_at = now
        self._check_time()
        if self.should_stop():
            stop(self.target, self.name)

    def _check_time(self) -> None:
        if time.monotonic() - self.began_at > self.timeout:
            stop(self.target, self.name)
            raise TimedOut(self.packed.name, self.timeout)

    def _exit_code(self, result: Result) -> int | None:
        trailer = TRAILER.search(result.output)
        if trailer is None or (trailer[1] == b"lost" and self.starts >= MOST_STARTS):
            tail = result.output[-4000:].decode(errors="replace")
            raise CommandFailed(f"Starting {self.packed.name} as {self.user}", result.exit_status, tail)
        if trailer[1] == b"lost" and self.once:
            raise Interrupted(self.packed.name)
        if trailer[1] == b"lost":
            return None
        if trailer[1] == b"exited":
            return int(trailer[2])
        return 128 + signal.Signals[f"SIG{trailer[2].decode()}"]
