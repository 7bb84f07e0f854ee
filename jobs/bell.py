"""Rings the workers. A bell that nobody hears loses nothing: the reaper rings again."""

import logging
from datetime import timedelta

from django.db import models
from django.utils import timezone
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from deploynix.celery import app
from jobs.kinds import kind_of
from jobs.models import Job, Status

logger = logging.getLogger(__name__)
# A message that no worker took within this many seconds is dropped, and the reaper sends a fresh one.
MESSAGE_LIFE = 10


def ring(job: Job) -> None:
    """Tells a worker of the job's queue that the job waits."""
    try:
        app.send_task("jobs.run", args=[job.pk], queue=kind_of(job.kind).queue, expires=MESSAGE_LIFE)
    except (OperationalError, RedisError, OSError):
        logger.warning("the broker cannot be reached; job %s waits for the reaper", job.pk)
    # Afterwards, for a worker need not wait for it; nobody asks when a job was sent once it runs.
    Job.objects.filter(pk=job.pk, status=Status.QUEUED).update(sent_at=timezone.now())


def next_in_lane(lane: str) -> Job | None:
    """The oldest job that waits in the lane and may start now."""
    queued = Job.objects.filter(lane=lane, status=Status.QUEUED, run_after__lte=timezone.now())
    return queued.only("kind").order_by("id").first()


def ring_next(lane: str) -> None:
    if waiting := next_in_lane(lane):
        ring(waiting)


def waiting_jobs(unsent_for: float) -> models.QuerySet[Job]:
    """Queued jobs that could start now, the first of each free lane, not rung for in the last `unsent_for` seconds."""
    now = timezone.now()
    queued = Job.objects.filter(status=Status.QUEUED, run_after__lte=now)
    busy = Job.objects.filter(status=Status.RUNNING, lane=models.OuterRef("lane"))
    earlier = queued.filter(lane=models.OuterRef("lane"), id__lt=models.OuterRef("id"))
    unheard = models.Q(sent_at=None) | models.Q(sent_at__lt=now - timedelta(seconds=unsent_for))
    return queued.filter(unheard).exclude(models.Exists(busy)).exclude(models.Exists(earlier))
