"""Backups and drills over time, as charts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Any

from django.db.models import DurationField, ExpressionWrapper, F, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from backups.models import GOOD, Backup, Restore, RestoreKind
from deploynix.charts import Chart, daily_chart

CHART_DAYS = 35
DRILL_CHART_DAYS = 90


@dataclass(frozen=True, slots=True)
class Charts:
    sizes: Chart
    durations: Chart


def charts_of(backups: QuerySet[Backup]) -> Charts:
    """What was stored on each of the last days, and how long that took: of those that became good."""
    took = ExpressionWrapper(F("finished_at") - F("started_at"), output_field=DurationField())
    made = backups.filter(status__in=GOOD, created_at__date__gte=_since(CHART_DAYS))
    rows = list(_by_day(made).annotate(stored=Sum("size"), took=Sum(took)))
    return Charts(
        sizes=_chart(((day, size or 0) for day, size, _ in rows), CHART_DAYS, "bytes"),
        durations=_chart(((day, _seconds(time)) for day, _, time in rows), CHART_DAYS, "seconds"),
    )


def chart_of_drills(drills: QuerySet[Restore]) -> Chart:
    """How long loading took in those that proved a backup."""
    proven = drills.filter(kind=RestoreKind.DRILL, error="", created_at__date__gte=_since(DRILL_CHART_DAYS))
    rows = _by_day(proven.exclude(seconds=None)).annotate(Sum("seconds"))
    return _chart(((day, max(1, round(seconds))) for day, seconds in rows), DRILL_CHART_DAYS, "seconds")


def _by_day(rows: QuerySet[Any]) -> QuerySet[Any]:
    found: QuerySet[Any] = rows.order_by().annotate(day=TruncDate("created_at", tzinfo=UTC)).values_list("day")
    return found


def _chart(rows: Iterable[tuple[date, int]], days: int, unit: str) -> Chart:
    return daily_chart(rows, since=_since(days), until=_today(), unit=unit)


def _since(days: int) -> date:
    return _today() - timedelta(days=days - 1)


def _today() -> date:
    return timezone.now().astimezone(UTC).date()


def _seconds(time: timedelta | None) -> int:
    """At least one, where there is anything: a bar that is not drawn says that nothing was made."""
    return max(1, round(time.total_seconds())) if time is not None else 0
