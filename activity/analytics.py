"""How much activity there was, counted by the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from activity.models import ActivityEvent

DEFAULT_DAYS = 30
MOST_DAYS = 366
# Kinds, and actors, that are listed: those with the most events.
MOST_LISTED = 100


@dataclass(frozen=True, slots=True)
class Period:
    """Days in UTC, both ends included."""

    since: date
    until: date

    @classmethod
    def of(cls, since: date | None, until: date | None) -> "Period":
        """By default the last 30 days. Raises ValidationError, naming `from` or `to`, for what is no period."""
        today = timezone.now().date()
        until = until or today
        since = since or date.fromordinal(max(1, until.toordinal() - DEFAULT_DAYS + 1))
        if until > today:
            raise ValidationError({"to": "The day must not be in the future."})
        if since > until:
            raise ValidationError({"from": "The first day must not be after the last one."})
        if (until - since).days >= MOST_DAYS:
            raise ValidationError({"from": f"A period must not be longer than {MOST_DAYS} days."})
        return cls(since, until)

    def of_events(self, events: QuerySet[ActivityEvent]) -> QuerySet[ActivityEvent]:
        """Those that occurred in it."""
        return events.filter(
            occurred_at__gte=_midnight(self.since), occurred_at__lt=_midnight(self.until + timedelta(days=1))
        )


@dataclass(frozen=True, slots=True)
class Analytics:
    """Numbers of events; by day for each day that has any."""

    by_kind: Mapping[str, int]
    by_actor: Mapping[str, int]
    by_day: Mapping[date, int]

    @property
    def total(self) -> int:
        return sum(self.by_day.values())


def analyse(events: QuerySet[ActivityEvent]) -> Analytics:
    """Counts in three queries."""
    days = events.annotate(day=TruncDate("occurred_at", tzinfo=UTC)).order_by().values_list("day")
    by_day = dict(days.annotate(number=Count("pk")).order_by("day"))
    return Analytics(_most(events, "kind"), _most(events, "actor"), by_day)


def _most(events: QuerySet[ActivityEvent], name: str) -> dict[str, int]:
    rows = events.order_by().values_list(name).annotate(number=Count("pk")).order_by("-number", name)
    return dict(rows[:MOST_LISTED])


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
