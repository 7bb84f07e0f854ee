"""Puts jobs of dead workers back and rings for jobs that nobody heard of. Safe to run many at once."""

import logging
from datetime import timedelta

from django.utils import timezone

from jobs.bell import MESSAGE_LIFE, ring, waiting_jobs
from jobs.models import Job, Status

logger = logging.getLogger(__name__)
STALE_SECONDS = 6


def reap() -> None:
    _put_stale_back()
    for job in waiting_jobs(unsent_for=MESSAGE_LIFE):
        ring(job)


def _put_stale_back() -> None:
    limit = timezone.now() - timedelta(seconds=STALE_SECONDS)
    for job in Job.objects.filter(status=Status.RUNNING, heartbeat_at__lt=limit):
        # Conditional on what was read: a worker that has just sent its heartbeat keeps its job.
        stale = Job.objects.filter(pk=job.pk, status=Status.RUNNING, attempt=job.attempt, heartbeat_at__lt=limit)
        if stale.update(status=Status.QUEUED, sent_at=None):
            logger.warning("job %s: no heartbeat of attempt %s, put back", job.pk, job.attempt)
