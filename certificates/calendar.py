"""The coming weeks, day by day: what is renewed, and what ends."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from django.utils import timezone

from certificates.models import Certificate

WEEKS = 14
ONE_DAY = timedelta(days=1)
# What ends before that ends soon.
SOON = timedelta(days=30)
# In the drawing a day takes so many units, and so much room is left for the words at its edges.
SIDE, LEFT, TOP = 24, 30, 18
# So many certificates of a day are named.
NAMED = 3


@dataclass(slots=True)
class Day:
    """A day in UTC, and where it is drawn. It has the first names of the certificates that are `renewed` on it, of
    those that end on it (`ending`), and of those that would, were they not renewed before (`expiring`)."""

    day: date
    x: int
    y: int
    renewed: list[str] = field(default_factory=list)
    ending: list[str] = field(default_factory=list)
    expiring: list[str] = field(default_factory=list)

    @property
    def state(self) -> str:
        """`ending`, `renewed`, `expiring` or `empty`: whatever wants most attention."""
        return next((name for name in ("ending", "renewed", "expiring") if getattr(self, name)), "empty")

    @property
    def count(self) -> int:
        return len(self.ending or self.renewed or self.expiring)

    @property
    def words(self) -> str:
        said = (("ends", self.ending), ("renewed", self.renewed), ("would end if not renewed before", self.expiring))
        return "; ".join(f"{what}: {spoken(names)}" for what, names in said if names) or "nothing"


@dataclass(frozen=True, slots=True)
class Calendar:
    """`days` begin on the Monday of this week."""

    today: date
    days: list[Day]

    @property
    def width(self) -> int:
        return LEFT + WEEKS * SIDE

    @property
    def height(self) -> int:
        return TOP + 7 * SIDE

    @property
    def until(self) -> date:
        return self.days[-1].day

    @property
    def busy(self) -> list[Day]:
        return [day for day in self.days if day.state != "empty"]

    @property
    def months(self) -> list[Day]:
        """The Mondays above which the name of a month stands."""
        return [day for day in self.days[::7] if day.day.day <= 7]

    @property
    def weekdays(self) -> list[Day]:
        """The days beside which the name of the weekday stands."""
        return self.days[:7:2]


def calendar_of(certificates: Iterable[Certificate]) -> Calendar:
    """Of certificates with their `current`. A renewal that is overdue is for today; what has ended is left out."""
    today = _day(timezone.now())
    first = today - timedelta(days=today.weekday())
    days = {(day := first + ONE_DAY * number): Day(day, *_place(number)) for number in range(WEEKS * 7)}
    for certificate in certificates:
        for what, day in events_of(certificate, today):
            if day in days:
                getattr(days[day], what).append(certificate.names[0])
    return Calendar(today, list(days.values()))


def events_of(certificate: Certificate, today: date) -> list[tuple[str, date]]:
    """What happens to it on which days, in the words of `Day`."""
    renewal = max(today, _day(certificate.renew_at)) if certificate.renew_at else None
    end = _day(certificate.current.not_after) if certificate.current and certificate.current.not_after else None
    events = [("renewed", renewal)] if renewal else []
    if end and end >= today:
        events.append(("expiring" if renewal and renewal <= end else "ending", end))
    return events


def spoken(names: list[str]) -> str:
    """The first of them, and how many more there are."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def _place(number: int) -> tuple[int, int]:
    week, weekday = divmod(number, 7)
    return LEFT + week * SIDE, TOP + weekday * SIDE
