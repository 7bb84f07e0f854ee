"""Kinds of job for tests: one whose steps a test holds and lets go by files, and which leaves a trace of what it did,
and one that has a certificate issued, which it installs nowhere."""

import os
import time
from pathlib import Path

from certificates.kinds.ordering import OrderKind
from jobs.kinds import JobKind, Step, register
from jobs.run import Run
from jobs.turns import turn
from organizations.models import Organization


@register
class Gated(JobKind):
    """`params["folder"]` takes the trace; a step waits while `hold-<step>` exists there."""

    name = "gated"
    steps = (Step("one", "One"), Step("two", "Two"), Step("three", "Three"))

    def one(self, run: Run) -> None:
        self._pass(run, "one")

    def two(self, run: Run) -> None:
        self._pass(run, "two")

    def three(self, run: Run) -> None:
        self._pass(run, "three")
        with run.write():
            Organization.objects.filter(pk=run.job.organization_id).update(name=f"by attempt {run.attempt}")

    def _pass(self, run: Run, step: str) -> None:
        folder = Path(run.job.params["folder"])
        self._trace(folder, f"{run.job.pk} {step} begin {os.getpid()}")
        while (folder / f"hold-{step}").exists():
            time.sleep(0.02)
        run.line(f"passed {step} in attempt {run.attempt}")
        self._trace(folder, f"{run.job.pk} {step} end {os.getpid()}")

    @staticmethod
    def _trace(folder: Path, line: str) -> None:
        # One write of an O_APPEND file is atomic: the order of lines is the order of events, whatever the process.
        with (folder / "trace").open("a") as file:
            file.write(line + "\n")


@register
class OrderOnly(OrderKind):
    name = "order_only"
    steps = OrderKind.order_steps


@register
class TakingTurns(Gated):
    """Its first step is in a turn that only one job has at a time."""

    name = "taking_turns"

    def one(self, run: Run) -> None:
        with turn(run, "toy", shown="the toy"):
            super().one(run)
