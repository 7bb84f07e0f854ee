"""Queueing, cancelling and retrying jobs."""

from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.utils import timezone
from django.utils.text import Truncator

from audit.log import record
from deploynix.actor import Actor
from deploynix.errors import Conflict
from deploynix.ids import new_id
from jobs.bell import ring, ring_next
from jobs.kinds import RETRY, kind_of
from jobs.models import LONGEST_ACTOR, LONGEST_LABEL, Job, JobStep, Status


def enqueue_job(
    actor: Actor,
    *,
    kind: str,
    subject: models.Model,
    label: str,
    lane: str = "",
    params: dict[str, Any] | None = None,
    run_after: datetime | None = None,
) -> Job:
    """Writes the job and its steps, and rings once the surrounding transaction is committed.

    The caller is the action that authorised the work. A label is cut where the names in it are too long. Without a lane
    the job has one of its own. For a job that is to wait until `run_after` the reaper rings.
    """
    job_id = new_id()
    job = Job.objects.create(
        id=job_id,
        organization=actor.organization,
        kind=kind,
        label=Truncator(label).chars(LONGEST_LABEL),
        subject_type=subject._meta.model_name or "",
        subject_id=subject.pk,
        lane=lane or f"job:{job_id}",
        params=params or {},
        run_after=run_after or timezone.now(),
        user=actor.user,
        actor=Truncator(str(actor)).chars(LONGEST_ACTOR),
    )
    JobStep.objects.bulk_create(
        JobStep(job=job, position=position, name=step.name, label=step.label)
        for position, step in enumerate(kind_of(kind).steps)
    )
    if run_after is None:
        transaction.on_commit(lambda: ring(job))
    return job


@transaction.atomic
def cancel_job(actor: Actor, *, job: Job) -> Job:
    """Ends a waiting job at once, and asks a running one to stop. Raises Conflict where it has already ended."""
    actor.require(RETRY)
    job = stop_job(job=job)
    record(actor, "job.cancelled", job)
    return job


@transaction.atomic
def stop_job(*, job: Job) -> Job:
    """As `cancel_job`, for an action that authorised it by an ability of its own, and leaves an audit row itself."""
    job = Job.objects.select_for_update().get(pk=job.pk)
    if not job.is_open:
        raise Conflict(f"This job has already {job.status}.", "Only a waiting or running job can be cancelled.")
    job.cancel_requested_at = timezone.now()
    if job.status == Status.QUEUED:
        job.status, job.finished_at = Status.CANCELLED, job.cancel_requested_at
        kind_of(job.kind)().on_cancelled(job)
    job.save(update_fields=["cancel_requested_at", "status", "finished_at"])
    transaction.on_commit(lambda: ring_next(job.lane))
    return job


def abilities_to_retry(job: Job) -> tuple[str, ...]:
    return (RETRY, kind_of(job.kind).ability)


@transaction.atomic
def retry_job(actor: Actor, *, job: Job) -> Job:
    """Queues a job that failed or was cancelled again; it resumes at the step that did not succeed.

    Raises Denied, also without the ability that asking for such a job takes, and Conflict for another job.
    """
    for ability in abilities_to_retry(job):
        actor.require(ability)
    job = Job.objects.select_for_update().get(pk=job.pk)
    if job.status not in (Status.FAILED, Status.CANCELLED):
        raise Conflict(f"This job is {job.status}.", "Only a job that failed or was cancelled can be retried.")
    Job.objects.filter(pk=job.pk).update(
        status=Status.QUEUED,
        run_after=timezone.now(),
        sent_at=None,
        finished_at=None,
        cancel_requested_at=None,
        error="",
        hint="",
        retries=0,
    )
    job.refresh_from_db()
    record(actor, "job.retried", job)
    transaction.on_commit(lambda: ring(job))
    return job
