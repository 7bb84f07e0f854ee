"""A kind of job for tests: what its steps do is set by the test."""

from collections.abc import Callable
from datetime import datetime

from deploynix.actor import Actor
from deploynix.errors import Error
from jobs.actions import enqueue_job
from jobs.kinds import JobKind, Step, register
from jobs.models import Job
from jobs.run import Run

Behaviour = Callable[[Run], None]


@register
class Toy(JobKind):
    name = "toy"
    steps = (Step("first", "First"), Step("second", "Second"), Step("third", "Third"))

    behaviours: dict[str, Behaviour] = {}
    calls: list[str] = []
    ends: list[tuple[str, str]] = []

    def first(self, run: Run) -> None:
        self._do("first", run)

    def second(self, run: Run) -> None:
        self._do("second", run)

    def third(self, run: Run) -> None:
        self._do("third", run)

    def _do(self, name: str, run: Run) -> None:
        self.calls.append(name)
        if behaviour := self.behaviours.get(name):
            behaviour(run)

    def on_succeeded(self, job: Job) -> None:
        self.ends.append(("succeeded", ""))

    def on_failed(self, job: Job, error: Error) -> None:
        self.ends.append(("failed", error.message))

    def on_cancelled(self, job: Job) -> None:
        self.ends.append(("cancelled", ""))

    @classmethod
    def reset(cls) -> None:
        cls.behaviours, cls.calls, cls.ends = {}, [], []


def enqueue(actor: Actor, lane: str = "", run_after: datetime | None = None) -> Job:
    organization = actor.organization
    return enqueue_job(actor, kind="toy", subject=organization, label="Toy", lane=lane, run_after=run_after)
