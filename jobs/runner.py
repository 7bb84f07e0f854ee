"""Takes a job, runs the steps that are left, and ends it in a named state."""

import logging
import os
import socket
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Coalesce
from django.utils import timezone

from deploynix.errors import Error
from deploynix.logs import job_id as logged_job_id
from jobs import pulse
from jobs.bell import ring_next
from jobs.kinds import JobKind, kind_of
from jobs.models import Job, JobStep, Status
from jobs.run import Cancelled, Postponed, Run, TakenOver

logger = logging.getLogger(__name__)
RETRY_SECONDS = 5


def claim(job_id: str) -> Run | None:
    """Takes a waiting job whose lane is free and whose turn it is; None where there is nothing to take."""
    now = timezone.now()
    waiting = Job.objects.filter(status=Status.QUEUED, run_after__lte=now)
    earlier = waiting.filter(lane=OuterRef("lane"), id__lt=OuterRef("id"))
    try:
        with transaction.atomic():
            taken = (
                waiting.filter(pk=job_id)
                .exclude(Exists(earlier))
                .update(
                    status=Status.RUNNING,
                    attempt=F("attempt") + 1,
                    worker=f"{socket.gethostname()}:{os.getpid()}"[:128],
                    heartbeat_at=now,
                    started_at=Coalesce(F("started_at"), now),
                )
            )
            if not taken:
                return None
            return Run(Job.objects.get(pk=job_id))
    except IntegrityError:
        # The partial unique index says that another job runs in this lane; its end rings for this one.
        return None


def run_job(job_id: str) -> None:
    """Runs one attempt, from taking the job to its end."""
    run = claim(job_id)
    if run is None:
        return
    context = logged_job_id.set(job_id)
    pulse.join(run)
    try:
        _attempt(run)
    except TakenOver:
        logger.warning("job %s was taken over by another worker", job_id)
    finally:
        pulse.leave(run)
        logged_job_id.reset(context)
    ring_next(run.job.lane)


def _attempt(run: Run) -> None:
    kind = kind_of(run.job.kind)()
    try:
        steps = list(run.job.steps.all())
        for number, step in enumerate(steps, 1):
            if step.status != Status.SUCCEEDED:
                _step(run, kind, step, 100 * number // len(steps))
    except Cancelled:
        _end_as(run, kind, Status.CANCELLED)
    except Postponed as wait:
        _postpone(run, wait)
    except Error as error:
        _fail(run, kind, error)
    except TakenOver:
        raise
    except Exception:
        logger.exception("job %s broke", run.job.pk)
        hint = f"This is a fault of Deploynix. Its log holds the details under job id {run.job.pk}. Retry resumes here."
        _fail(run, kind, Error("Something unexpected went wrong.", hint))
    else:
        _end_as(run, kind, Status.SUCCEEDED)


def _step(run: Run, kind: JobKind, step: JobStep, percent: int) -> None:
    """Runs the step, after which so much of the job is done."""
    run.check()
    run.begin_step(step)
    try:
        getattr(kind, step.name)(run)
        # A remote command that was stopped because of a cancellation may well have ended without an error.
        run.check()
    except TakenOver:
        raise
    except Cancelled:
        run.end_step(step, Status.CANCELLED)
        raise
    except Postponed:
        run.end_step(step, Status.QUEUED)
        # Nobody who has cancelled it is to wait until then.
        run.check()
        raise
    except Exception as error:
        if run.stopping.is_set():
            _explain_stop(run, step, error)
        run.end_step(step, Status.FAILED)
        raise
    run.end_step(step, Status.SUCCEEDED, percent)


def _explain_stop(run: Run, step: JobStep, error: Exception) -> None:
    """An error of a step that was told to stop is the stop's echo: raises the stop itself."""
    try:
        run.check()
    except Cancelled:
        run.end_step(step, Status.CANCELLED)
        raise Cancelled from error


def _fail(run: Run, kind: JobKind, error: Error) -> None:
    if error.retryable and run.job.retries < kind.max_retries:
        _put_back(run, error)
        return
    run.line(f"Failed: {error.message}")
    if error.hint:
        run.line(error.hint)
    _end_as(run, kind, Status.FAILED, error)


def _put_back(run: Run, error: Error) -> None:
    delay = RETRY_SECONDS * 3**run.job.retries
    run.line(f"{error.message} Trying again in {delay} s.")
    run_after = timezone.now() + timedelta(seconds=delay)
    with run.settle(status=Status.QUEUED, retries=F("retries") + 1, run_after=run_after, sent_at=None):
        pass


def _postpone(run: Run, wait: Postponed) -> None:
    run.line(f"{wait.reason} It goes on at {wait.until:%Y-%m-%d %H:%M:%S} UTC.")
    with run.settle(status=Status.QUEUED, run_after=wait.until, sent_at=None):
        pass


def _end_as(run: Run, kind: JobKind, status: Status, error: Error | None = None) -> None:
    values = {
        "status": status,
        "finished_at": timezone.now(),
        "progress": 100 if status == Status.SUCCEEDED else F("progress"),
        "error": run.redact(error.message) if error else "",
        "hint": run.redact(error.hint) if error else "",
    }
    with run.settle(**values):
        if status == Status.SUCCEEDED:
            kind.on_succeeded(run.job)
        elif status == Status.CANCELLED:
            kind.on_cancelled(run.job)
        elif error is not None:
            kind.on_failed(run.job, error)
