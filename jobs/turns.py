"""Turns: what only one attempt at a time may work on, for a part of its job. A lane is the same for a whole job."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef

from deploynix.errors import Error
from jobs.models import Job, Status, Turn
from jobs.run import Run

FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.5


class Busy(Error):
    """Others have not let go of it."""

    status = 409
    code = "busy"


@contextmanager
def turn(run: Run, name: str, *, shown: str, seconds: float = 300.0) -> Iterator[None]:
    """Inside, no other thread of any worker has the turn of this name; people know it as `shown`.

    No transaction is open meanwhile. Of a worker that dies, it is free when the reaper puts the job back. It cannot be
    taken twice by one thread. Raises Busy after so many seconds, Cancelled and TakenOver.
    """
    mine = Turn(name=name, job=run.job, attempt=run.attempt)
    _wait(run, mine, shown, monotonic() + seconds)
    try:
        # The turn is worth as much as the attempt's hold on its job.
        run.confirm()
        yield
    finally:
        Turn.objects.filter(name=name, holder=mine.holder).delete()


def _wait(run: Run, mine: Turn, shown: str, deadline: float) -> None:
    pause = FIRST_PAUSE
    while not _take(mine):
        if monotonic() > deadline:
            raise Busy(f"Other jobs work on {shown} all the time.", "Try again when they are done.", retryable=True)
        if run.stopping.wait(pause):
            run.check()
        pause = min(pause * 2, LONGEST_PAUSE)


def _take(mine: Turn) -> bool:
    others = Turn.objects.filter(name=mine.name)
    holding = Job.objects.filter(pk=OuterRef("job"), attempt=OuterRef("attempt"), status=Status.RUNNING)
    if others.filter(Exists(holding)).exists():
        return False
    others.exclude(Exists(holding)).delete()
    try:
        with transaction.atomic():
            mine.save(force_insert=True)
    except IntegrityError:
        return False
    return True
