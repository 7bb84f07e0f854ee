"""Figures of backups. An age goes on whatever runs here: it tells, too, when the task that raises alarms does not."""

from collections.abc import Iterator
from datetime import datetime
from math import inf
from typing import Any

from django.db.models import Count, Sum
from django.utils import timezone

from backups.models import OPEN, Backup, Schedule, with_outcomes
from deploynix.metrics import Gauge


def metrics() -> Iterator[Gauge]:
    yield from _of_schedules()
    stored = Backup.objects.stored().order_by().values_list("type").annotate(Sum("size"), Count("pk"))
    rows = [({"type": kind}, size or 0, count) for kind, size, count in stored]
    yield Gauge("deploynix_backups_stored", "Backups in stores.", [(labels, count) for labels, _, count in rows])
    yield Gauge("deploynix_backups_stored_bytes", "Their size.", [(labels, size) for labels, size, _ in rows])
    known = dict(Backup.objects.open().order_by().values_list("status").annotate(Count("pk")))
    yield Gauge(
        "deploynix_backups_open",
        "Backups that wait or are being made.",
        [({"status": status}, known.get(status, 0)) for status in OPEN],
    )


def _of_schedules() -> Iterator[Gauge]:
    active = Schedule.objects.filter(is_active=True).select_related("server", "database", "site")
    schedules: list[Any] = list(with_outcomes(active).order_by("pk"))
    now = timezone.now()
    labels = [_labels(schedule) for schedule in schedules]
    figures = {
        "deploynix_backup_age_seconds": (
            "Since the newest good backup of a schedule was made; +Inf where there is none.",
            [_age(schedule.last_good_at, now) for schedule in schedules],
        ),
        "deploynix_backup_max_age_seconds": (
            "How old that may become.",
            [schedule.max_age_hours * 3600.0 for schedule in schedules],
        ),
        "deploynix_backup_proven_age_seconds": (
            "Since a drill of the schedule last succeeded; +Inf where none has.",
            [_age(schedule.last_proven_at, now) for schedule in schedules],
        ),
        "deploynix_backup_alarm": (
            "1 while the schedule has an alarm.",
            [float(schedule.alarmed_at is not None) for schedule in schedules],
        ),
    }
    for name, (description, values) in figures.items():
        yield Gauge(name, description, list(zip(labels, values, strict=True)))


def _labels(schedule: Schedule) -> dict[str, str]:
    return {"schedule": schedule.pk, "server": schedule.server.name, "target": str(schedule.database or schedule.site)}


def _age(moment: datetime | None, now: datetime) -> float:
    return inf if moment is None else (now - moment).total_seconds()
