"""How often a token may ask: so many times an hour and a minute, by its rate type.

Both windows are fixed: each begins with the first request that it counts, and ends by itself. That takes two small
counters a token, where a moving window would keep the times of up to 10,000 requests, and the answer can say when all
of the limit is back. The price is that around the end of a minute a token may ask twice as often as its limit says;
the hour bounds that.
"""

import math
import time
from collections.abc import Callable, Sequence
from functools import cache
from operator import itemgetter
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from django.conf import settings
from redis import Redis

from deploynix.actor import Actor
from deploynix.api.fallback import TIMEOUTS, Fallback

SCRIPT = Path(__file__).parent / "scripts" / "spend.lua"
HOUR = 3_600_000
MINUTE = 60_000
# Whether the request was counted, the time, and of each window what is used and what is left; times in milliseconds.
Answer = Sequence[Any]
# Takes the counters' keys; and for each its limit and its window's length.
Count = Callable[[Sequence[str], Sequence[int]], Answer]


class Window(NamedTuple):
    """A number of requests in so many milliseconds; `name` tells a token's counters apart."""

    name: str
    limit: int
    length: int


class Rate(NamedTuple):
    """So many requests an hour and a minute; None where there is no limit."""

    per_hour: int | None
    per_minute: int | None

    @property
    def windows(self) -> list[Window]:
        """The longest first."""
        limits = (("hour", self.per_hour, HOUR), ("minute", self.per_minute, MINUTE))
        return [Window(name, limit, length) for name, limit, length in limits if limit is not None]


class Spent(NamedTuple):
    """What is left after a request: of the hour where there is one, else of the minute.

    `reset_at` is when the window ends, in seconds since 1970. A refused request has `retry_after`, the whole seconds
    until one will be allowed, and the other figures are of the window that makes it wait for so long.
    """

    limit: int
    remaining: int
    reset_at: int
    retry_after: int | None


def rate_of(rate_type: str) -> Rate:
    """The rate type's numbers; an empty one is the general limit. Raises KeyError for one that does not exist."""
    return Rate(*settings.RATE_LIMIT_TYPES[rate_type]) if rate_type else Rate(None, settings.RATE_LIMIT_GENERAL)


def spend(actor: Actor) -> Spent | None:
    """Counts a request of the actor's token, unless it is one too many. None where the token has no limit."""
    windows = rate_of(actor.rate).windows
    return _meter().spend(str(actor.token_id), windows) if windows else None


class Meter:
    """Counts in the storage at this address: one call, which decides all windows together."""

    def __init__(self, address: str) -> None:
        own = Counters()
        shared: Count = own
        if not address.startswith("memory"):
            shared = Redis.from_url(address, **TIMEOUTS).register_script(SCRIPT.read_text())
        self._count = Fallback(shared, own)

    def spend(self, who: str, windows: list[Window]) -> Spent:
        keys = [f"deploynix:rate:{who}:{window.name}" for window in windows]
        arguments = [number for window in windows for number in (window.limit, window.length)]
        return _spent(windows, self._count(keys, arguments))


def _spent(windows: list[Window], answer: Answer) -> Spent:
    is_counted, now, *states = answer
    counts = [(window.limit, used, left) for window, (used, left) in zip(windows, states, strict=True)]
    full = [] if is_counted else [count for count in counts if count[1] >= count[0]]
    limit, used, left = max(full, key=itemgetter(2)) if full else counts[0]
    return Spent(
        limit=limit,
        remaining=max(0, limit - used),
        reset_at=math.ceil((now + left) / 1000),
        retry_after=None if is_counted else max(1, math.ceil(left / 1000)),
    )


class Counters:
    """What `spend.lua` does, in this process."""

    def __init__(self) -> None:
        self._lock = Lock()
        # By key: how many were counted, and when the window ends.
        self._counts: dict[str, tuple[int, int]] = {}
        self._tidy_at = 0

    def __call__(self, keys: Sequence[str], arguments: Sequence[int]) -> Answer:
        limits, lengths = arguments[::2], arguments[1::2]
        with self._lock:
            now = time.time_ns() // 1_000_000
            self._tidy(now)
            counts = [self._count(key, length, now) for key, length in zip(keys, lengths, strict=True)]
            is_counted = all(used < limit for (used, _), limit in zip(counts, limits, strict=True))
            if is_counted:
                counts = [(used + 1, end) for used, end in counts]
                self._counts.update(zip(keys, counts, strict=True))
        return [int(is_counted), now, *((used, end - now) for used, end in counts)]

    def _count(self, key: str, length: int, now: int) -> tuple[int, int]:
        used, end = self._counts.get(key, (0, 0))
        return (used, end) if end > now else (0, now + length)

    def _tidy(self, now: int) -> None:
        if now >= self._tidy_at:
            self._counts = {key: count for key, count in self._counts.items() if count[1] > now}
            self._tidy_at = now + MINUTE


@cache
def _meter() -> Meter:
    return Meter(settings.RATE_LIMIT_STORAGE)


def forget_spending() -> None:
    """Forgets what this process counted by itself."""
    _meter.cache_clear()
