"""The last weeks, day by day: what was backed up well, and where a schedule wanted a backup that is not there."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from django.db.models import Count, Min, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from backups import times
from backups.alarms import LATEST_START
from backups.models import GOOD, Backup, Schedule, Status

WEEKS = 5
ONE_DAY = timedelta(days=1)


@dataclass(slots=True)
class Day:
    """A day in UTC. `good` backups were made on it, of which `kept` are still stored, and `failed` ones were tried.

    `missing` names what schedules were to back up by now, and have no good backup of.
    """

    day: date
    good: int = 0
    kept: int = 0
    failed: int = 0
    missing: list[str] = field(default_factory=list)

    @property
    def state(self) -> str:
        """`missing`: a schedule wanted one that is not there; `good`; `failed`, by hand; or `empty`."""
        if self.missing:
            return "missing"
        if self.good:
            return "good"
        return "failed" if self.failed else "empty"

    @property
    def words(self) -> str:
        parts = [
            f"without a backup of {', '.join(self.missing)}" if self.missing else "",
            _counted(self.good, "good"),
            _counted(self.failed, "failed"),
            "none of them kept" if self.good and not self.kept else "",
        ]
        return "; ".join(part for part in parts if part) or "none, and none was due"


@dataclass(slots=True)
class _Made:
    """What a schedule, or people, made on one day; `first` is when the first good one was."""

    good: int
    kept: int
    failed: int
    first: datetime | None


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number else ""


def weeks(backups: QuerySet[Backup], schedules: QuerySet[Schedule]) -> list[list[Day | None]]:
    """The last five weeks, from Monday; None for days that are still to come.

    Times that a schedule had before it was made, or switched on again, are not held against it.
    """
    now = timezone.now()
    today = now.astimezone(UTC).date()
    first = today - timedelta(days=today.weekday(), weeks=WEEKS - 1)
    days = {first + ONE_DAY * number: Day(first + ONE_DAY * number) for number in range((today - first).days + 1)}
    made = _made(backups.filter(created_at__gte=_midnight(first)))
    for (_, day), found in made.items():
        if day in days:
            days[day].good += found.good
            days[day].kept += found.kept
            days[day].failed += found.failed
    for schedule in schedules.filter(is_active=True).select_related("database", "site"):
        _hold_against(schedule, days, made, now)
    row = [*days.values(), *[None] * (6 - today.weekday())]
    return [row[start : start + 7] for start in range(0, len(row), 7)]


def without_one(rows: Iterable[Iterable[Day | None]]) -> list[Day]:
    """The days that miss a backup, the latest first."""
    return [day for week in rows for day in week if day and day.missing][::-1]


def _made(backups: QuerySet[Backup]) -> Mapping[tuple[str | None, date], _Made]:
    good = Q(status__in=GOOD, fault="") & ~Q(verified_at=None)
    groups = (
        backups.order_by()
        .annotate(day=TruncDate("created_at", tzinfo=UTC))
        .values_list("schedule", "day")
        .annotate(
            good=Count("pk", filter=good),
            kept=Count("pk", filter=good & Q(removed_at=None)),
            failed=Count("pk", filter=Q(status=Status.FAILED)),
            first=Min("created_at", filter=good),
        )
    )
    return {(schedule, day): _Made(*figures) for schedule, day, *figures in groups}


def _hold_against(
    schedule: Schedule, days: Mapping[date, Day], made: Mapping[tuple[str | None, date], _Made], now: datetime
) -> None:
    since = max(schedule.created_at, schedule.active_since)
    name = str(schedule.database or schedule.site)
    for moment in first_times(schedule.cron, schedule.timezone, min(days), max(days)):
        if not since <= moment <= now - LATEST_START:
            continue
        day = moment.date()
        if (schedule.pk, day) in made and made[schedule.pk, day].good:
            continue
        late = made.get((schedule.pk, day + ONE_DAY))
        if late and late.first and late.first < _midnight(day + ONE_DAY) + LATEST_START:
            # It began just after the day had ended, and counts for both.
            days[day].good += 1
            days[day].kept += bool(late.kept)
        else:
            days[day].missing.append(name)


@lru_cache(maxsize=1024)
def first_times(cron: str, zone: str, since: date, until: date) -> tuple[datetime, ...]:
    """The first time of each day, in UTC, that has one."""
    return tuple(_first_times(cron, zone, since, until))


def _first_times(cron: str, zone: str, since: date, until: date) -> Iterator[datetime]:
    moment, end = _midnight(since) - timedelta(seconds=1), _midnight(until + ONE_DAY)
    while (found := times.next_after(cron, zone, moment)) < end:
        yield found
        moment = _midnight(found.date() + ONE_DAY) - timedelta(seconds=1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
