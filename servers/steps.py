"""Runs a step's script on a server as a unit, which a successor of this worker can follow, and reads its report."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from deploynix.errors import Error
from jobs.run import Run, TakenOver
from servers import units
from servers.ssh import CommandFailed, Target


class Refused(Error):
    """The script found something that only a person can decide or mend."""

    status = 409
    code = "refused_by_server"


class Report:
    """What a script says about itself in lines that begin with `changed:`, `refused:` or `hint:`."""

    def __init__(self) -> None:
        self.changes: list[str] = []
        self.refused = self.hint = self.os = ""
        self._rest = b""

    def feed(self, chunk: bytes) -> None:
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._line(line.decode(errors="replace").strip())

    def _line(self, line: str) -> None:
        word, _, text = line.partition(" ")
        if word == "changed:":
            self.changes.append(text)
        elif word == "refused:":
            self.refused = text
        elif word == "hint:":
            self.hint = text
        elif word == "os":
            self.os = text

    def check(self, what: str, exit_status: int) -> None:
        """Raises Refused with the script's own words, or CommandFailed where it ended without any."""
        if exit_status == 0:
            return
        if self.refused:
            raise Refused(self.refused, self.hint)
        raise CommandFailed(what, exit_status, "")


def run_unit(
    run: Run, target: Target, script: Path | str, *, step: str, values: Mapping[str, Any], timeout: float
) -> Report:
    """Runs the script as root and as a unit, with its output in the job's log, and reads its report.

    Raises Refused, CommandFailed, and what `follow_unit` raises.
    """
    report = Report()

    def take(chunk: bytes) -> None:
        report.feed(chunk)
        run.output(chunk)

    status = follow_unit(run, target, script, step=step, values=values, timeout=timeout, on_output=take)
    run.check()
    report.check(f"The step {step}", status)
    return report


def follow_unit(
    run: Run,
    target: Target,
    script: Path | str,
    *,
    step: str,
    values: Mapping[str, Any],
    timeout: float,
    on_output: Callable[[bytes], None],
    user: str = "root",
) -> int:
    """Runs the script (see `ssh.pack`) as the unit `dnx-<job>-<step>`, or follows the one of an earlier attempt.

    Returns its exit code; a retry after a failure starts it anew. Raises what `units.start_or_follow` raises, and
    TakenOver, which leaves the unit to the worker that has the job now.
    """
    name = f"dnx-{run.job.pk}-{step}"
    status = units.start_or_follow(
        target,
        name,
        script,
        values=values,
        on_output=on_output,
        should_stop=asked_to_stop(run),
        timeout=timeout,
        user=user,
    )
    run.confirm()
    units.clean(target, name)
    return status


def asked_to_stop(run: Run) -> Callable[[], bool]:
    """A `should_stop` for `units`: a cancelled job ends its unit, one that was taken over leaves it running."""

    def should_stop() -> bool:
        if run.is_taken_over:
            raise TakenOver
        return run.stopping.is_set()

    return should_stop
