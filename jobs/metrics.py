"""Figures of background work."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count, Min
from django.utils import timezone

from deploynix.ids import first_id_at
from deploynix.metrics import Gauge
from jobs.kinds import kind_of
from jobs.models import Job, Status

ENDED = (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED)
DAY = timedelta(days=1)


def metrics() -> Iterator[Gauge]:
    now = timezone.now()
    queued = Job.objects.filter(status=Status.QUEUED)
    open_jobs = {Status.QUEUED: queued.count(), Status.RUNNING: Job.objects.filter(status=Status.RUNNING).count()}
    yield Gauge("deploynix_jobs", "Jobs that wait or run.", [({"status": s}, count) for s, count in open_jobs.items()])
    recent = Job.objects.filter(pk__gte=first_id_at(now - DAY), status__in=ENDED).order_by().values_list("status")
    ended = dict.fromkeys(ENDED, 0) | dict(recent.annotate(Count("pk")))
    yield Gauge(
        "deploynix_jobs_ended",
        "Jobs of the last 24 hours that have ended.",
        [({"status": status}, count) for status, count in ended.items()],
    )
    depth: Counter[str] = Counter()
    waits: dict[str, float] = {}
    due = queued.filter(run_after__lte=now).order_by().values_list("kind")
    for kind, count, oldest in due.annotate(Count("pk"), Min("run_after")):
        queue = kind_of(kind).queue
        depth[queue] += count
        waits[queue] = max(waits.get(queue, 0.0), (now - oldest).total_seconds())
    yield Gauge("deploynix_queue_depth", "Jobs whose time has come.", [({"queue": q}, n) for q, n in depth.items()])
    yield Gauge(
        "deploynix_queue_wait_seconds",
        "How long the oldest of them has waited.",
        [({"queue": queue}, seconds) for queue, seconds in waits.items()],
    )
