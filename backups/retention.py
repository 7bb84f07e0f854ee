"""Which backups of a schedule have had their time.

The newest `last` are kept, and the newest of each of so many days, weeks (ISO 8601), months and years of the schedule's
time zone that have one. Only good ones count: one that is faulty keeps no place from another, and is kept until it is
older than all that are.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, order=True)
class Copy:
    """A backup that is stored. Ids sort by age, too."""

    made_at: datetime
    id: str
    is_good: bool = True


@dataclass(frozen=True, slots=True)
class Policy:
    """How many of each are kept; `zone` is the time zone that days, weeks, months and years are of."""

    last: int
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    yearly: int = 0
    zone: str = "UTC"

    @property
    def rules(self) -> tuple[tuple[int, Callable[[datetime], object]], ...]:
        """Of how many periods the newest is kept; times of equal value are in the same one."""
        return (
            (self.daily, lambda moment: moment.date()),
            (self.weekly, lambda moment: moment.isocalendar()[:2]),
            (self.monthly, lambda moment: (moment.year, moment.month)),
            (self.yearly, lambda moment: moment.year),
        )


def outlived(copies: Iterable[Copy], policy: Policy) -> list[Copy]:
    """Those to remove, the oldest first. The newest good one is never among them, and where none is good, none is."""
    ordered = sorted(copies, reverse=True)
    good = [copy for copy in ordered if copy.is_good]
    if not good:
        return []
    kept = set(good[:1]) | set(_kept(good, policy))
    oldest = min(kept)
    return [copy for copy in reversed(ordered) if copy not in kept and (copy.is_good or copy < oldest)]


def _kept(good: list[Copy], policy: Policy) -> Iterator[Copy]:
    zone = ZoneInfo(policy.zone)
    yield from good[: policy.last]
    for count, period in policy.rules:
        newest: dict[object, Copy] = {}
        for copy in good:
            newest.setdefault(period(copy.made_at.astimezone(zone)), copy)
        yield from list(newest.values())[:count]
