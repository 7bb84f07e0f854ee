"""What has become of the backups and drills of schedules."""

from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from backups.models.backups import GOOD, Backup, Status
from backups.models.restores import Restore, RestoreKind
from backups.models.schedules import Schedule
from jobs.models import OPEN_STATUSES


def with_outcomes(schedules: QuerySet[Schedule]) -> QuerySet[Schedule]:
    """Adds `last_good_at`, when the newest good backup was made, and `last_good_id`; `last_proven_at`, when a drill
    last succeeded. Of the newest that has ended: `last_status`, `last_made_at` and `last_error`."""
    backups = Backup.objects.filter(schedule=OuterRef("pk")).order_by("-id")
    good, ended = backups.good(), backups.filter(status__in=(*GOOD, Status.FAILED))
    proven = _drills().filter(error="").exclude(finished_at=None)
    return schedules.annotate(
        last_good_id=Subquery(good.values("pk")[:1]),
        last_good_at=Subquery(good.values("created_at")[:1]),
        last_status=Subquery(ended.values("status")[:1]),
        last_made_at=Subquery(ended.values("created_at")[:1]),
        last_error=Subquery(ended.values("error")[:1]),
        last_proven_at=Subquery(proven.values("finished_at")[:1]),
    )


def with_troubles(schedules: QuerySet[Schedule]) -> QuerySet[Any]:
    """Adds what alarms are made of, besides `with_outcomes`: the oldest backup that waits (`waiting_since`), the newest
    stored copy's fault (`newest_fault`), how the last drill ended (`drill_error`, `drilled_at`), when the oldest copy
    whose removal goes on was given up (`removing_since`), and what is under way (`open_backup`, `open_drill`)."""
    backups = Backup.objects.filter(schedule=OuterRef("pk")).order_by("-id")
    waiting = backups.open().filter(started_at=None).order_by("id")
    removing = backups.filter(removed_at=None).exclude(removing_at=None).order_by("removing_at")
    ended = _drills().exclude(finished_at=None)
    return with_outcomes(schedules).annotate(
        waiting_since=Subquery(waiting.values("created_at")[:1]),
        newest_fault=Subquery(backups.stored().values("fault")[:1]),
        newest_at=Subquery(backups.stored().values("created_at")[:1]),
        removing_since=Subquery(removing.values("removing_at")[:1]),
        drill_error=Subquery(ended.values("error")[:1]),
        drilled_at=Subquery(ended.values("finished_at")[:1]),
        open_backup=Subquery(backups.open().values("pk")[:1]),
        open_drill=Subquery(_drills().filter(job__status__in=OPEN_STATUSES).values("pk")[:1]),
    )


def in_trouble(schedules: QuerySet[Schedule]) -> QuerySet[Schedule]:
    """Those that have an alarm, the latest first, with what they are of."""
    return schedules.exclude(alarmed_at=None).select_related("database", "site", "server").order_by("-alarmed_at")


def _drills() -> QuerySet[Restore]:
    return Restore.objects.filter(schedule=OuterRef("pk"), kind=RestoreKind.DRILL).order_by("-id")
