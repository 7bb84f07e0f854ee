"""What a kind of job is. Each app registers its kinds in `AppConfig.ready()`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from deploynix.errors import Error

if TYPE_CHECKING:
    from jobs.models import Job


# Cancelling and retrying jobs takes this at least.
RETRY = "job:update"


@dataclass(frozen=True, slots=True)
class Step:
    """A method of the kind, by name, and what its page calls it. Each step must be safe to run twice."""

    name: str
    label: str


class JobKind:
    """The code of one kind of job. A fresh instance runs each attempt; state between steps lives in the database.

    Each step is a method `name(self, run: Run)`. The three `on_...` hooks run inside the transaction that ends the job.
    """

    name: ClassVar[str]
    queue: ClassVar[str] = "ssh"
    steps: ClassVar[tuple[Step, ...]]
    # How often a step that failed with a retryable error is tried again before the job fails.
    max_retries: ClassVar[int] = 2
    # It only reads, or tells somebody: lists on pages leave such jobs out, unless they failed.
    is_routine: ClassVar[bool] = False
    # What the action requires that asks for such a job; whoever retries one needs it, too.
    ability: ClassVar[str] = RETRY

    def on_succeeded(self, job: "Job") -> None:
        """The subject's part of the end, for example its new status."""

    def on_failed(self, job: "Job", error: Error) -> None:
        """The subject's part of a failure that will not be tried again by itself."""

    def on_cancelled(self, job: "Job") -> None:
        """The subject's part of a cancellation; the job may not have run at all."""


_kinds: dict[str, type[JobKind]] = {}


def register(kind: type[JobKind]) -> type[JobKind]:
    for step in kind.steps:
        if not callable(getattr(kind, step.name, None)):
            raise LookupError(f"{kind.__name__} has no step {step.name}")
    _kinds[kind.name] = kind
    return kind


def kind_of(name: str) -> type[JobKind]:
    return _kinds[name]


def all_kinds() -> list[type[JobKind]]:
    return list(_kinds.values())


def routine_kinds() -> list[str]:
    return [kind.name for kind in all_kinds() if kind.is_routine]
