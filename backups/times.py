"""The times that a cron expression means in a time zone.

As Debian's cron has it, where clocks are put forward, what falls into the hour that is left out comes right after it;
where they are put back, what falls into the hour that comes twice is done once, unless it is done every hour.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice, pairwise
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError
from django.core.exceptions import ValidationError
from django.utils import timezone

FIELDS = 5
# So many times tell how far apart they are at most, and no more than this are looked at.
MOST_LOOKED_AT = 400
FURTHEST = timedelta(days=800)
_LOOKS_LIKE = "One looks like 0 2 * * *: minute, hour, day of the month, month, day of the week."


@cache
def zones() -> frozenset[str]:
    """The names of the IANA time zones. https://www.iana.org/time-zones"""
    return frozenset(available_timezones()) - {"localtime"}


def check_zone(name: str) -> None:
    """Raises ValidationError for what is no time zone."""
    if name not in zones():
        raise ValidationError("This is no time zone. One looks like Europe/Berlin or UTC.", code="invalid")


def check_cron(expression: str) -> None:
    """Raises ValidationError, saying what is wrong with it."""
    if len(expression.split()) != FIELDS:
        raise ValidationError(f"A cron expression has five fields. {_LOOKS_LIKE}", code="invalid")
    try:
        found = next(CronSim(expression, timezone.now()), None)
    except CronSimError as error:
        field = str(error).removeprefix("Bad ")
        raise ValidationError(f"The {field} of the cron expression is not right. {_LOOKS_LIKE}") from None
    if found is None:
        raise ValidationError("The cron expression means a day that never comes.", code="invalid")


def next_after(expression: str, zone: str, moment: datetime) -> datetime:
    """The first time after the moment, in UTC. The expression and the zone are those that the checks let pass."""
    return next(_after(expression, zone, moment))


def next_runs(expression: str, zone: str, count: int = 5, after: datetime | None = None) -> list[datetime]:
    """The next times, as the clocks of the zone show them."""
    found = islice(_after(expression, zone, after or timezone.now()), count)
    return [moment.astimezone(ZoneInfo(zone)) for moment in found]


def spoken(expression: str) -> str:
    """In words, for example `At 02:00 every day`; empty for none."""
    return CronSim(expression, timezone.now()).explain() if expression else ""


def longest_gap(expression: str, zone: str) -> timedelta:
    """The longest time between two of them, as far as can be seen."""
    start = timezone.now()
    found: list[datetime] = []
    for moment in islice(_after(expression, zone, start), MOST_LOOKED_AT):
        found.append(moment)
        if len(found) > 1 and moment > start + FURTHEST:
            break
    return max((later - earlier for earlier, later in pairwise(found)), default=FURTHEST)


def _after(expression: str, zone: str, moment: datetime) -> Iterator[datetime]:
    for found in CronSim(expression, moment.astimezone(ZoneInfo(zone))):
        # In the second of two equal hours it goes on from the first one, which is over.
        if found.astimezone(UTC) > moment:
            yield found.astimezone(UTC)
