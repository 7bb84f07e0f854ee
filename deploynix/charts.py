"""Amounts per day as a bar chart that the server draws; `templates/components/chart.html` shows it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain, count

# In units of the drawing, which is stretched to the room there is.
HEIGHT = 100
STEP = 10
LOWEST = 2


@dataclass(frozen=True, slots=True)
class Bar:
    """One day; `x`, `y` and `height` are units of the drawing, from its upper left corner."""

    day: date
    count: int
    x: int
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Chart:
    """A bar for each day, the oldest first. The drawing's height stands for `top`, a round number.

    `unit` is `bytes` or `seconds`, or empty where things are counted.
    """

    bars: tuple[Bar, ...]
    top: int
    unit: str = ""
    height: int = HEIGHT
    bar_width: int = STEP - 2

    @property
    def width(self) -> int:
        return STEP * len(self.bars)

    @property
    def half(self) -> int:
        return self.top // 2

    @property
    def total(self) -> int:
        return sum(bar.count for bar in self.bars)

    @property
    def busiest(self) -> Bar:
        """The day with the most, the latest one of equals."""
        return max(reversed(self.bars), key=lambda bar: bar.count)


def daily_chart(rows: Iterable[tuple[date, int]], *, since: date, until: date, unit: str = "") -> Chart:
    """The chart of `rows`, (day, count) pairs in any order, over all days from `since` to `until`, both included.

    A day without a row counts 0. `since` must not be after `until`. `unit` is that of a Chart.
    """
    counts = dict(rows)
    days = [since + timedelta(days=number) for number in range((until - since).days + 1)]
    highest = max(counts.get(day, 0) for day in days)
    top = next(top for top in _tops(unit) if top >= highest)
    return Chart(tuple(_bar(place, day, counts.get(day, 0), top) for place, day in enumerate(days)), top, unit)


def _bar(place: int, day: date, number: int, top: int) -> Bar:
    # A day with little must not look like one with nothing.
    height = max(LOWEST, round(HEIGHT * number / top)) if number else 0
    return Bar(day, number, place * STEP + 1, HEIGHT - height, height)


def _tops(unit: str) -> Iterator[int]:
    """What scales end at, rising: round in their unit, and so is the half."""
    if unit == "bytes":
        return (1 << power for power in count(1))
    if unit == "seconds":
        minutes = (60 * top for top in (2, 4, 10, 20, 40))
        return chain((2, 4, 10, 20, 60), minutes, (3600 * top for top in _round_numbers()))
    return _round_numbers()


def _round_numbers() -> Iterator[int]:
    """2, 4, 10, 20, 40, 100, ..."""
    for power in count():
        yield from (10**power * digit for digit in (2, 4, 10))
