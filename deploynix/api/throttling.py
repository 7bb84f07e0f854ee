"""Limits of single operations, by address or user; how often a token may ask at all is in `deploynix.api.rates`."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

from django.conf import settings
from django.http import HttpRequest
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

from deploynix.actor import Actor
from deploynix.api.fallback import TIMEOUTS, Fallback
from deploynix.client import client_ip
from deploynix.errors import Throttled


@dataclass(frozen=True, slots=True)
class Limit:
    """A number of requests a minute, or in another period, named by a setting, for each value of `who`."""

    name: str
    setting: str
    who: Callable[[HttpRequest, Actor | None], str]
    period: type[RateLimitItem] = RateLimitItemPerMinute

    def item(self) -> RateLimitItem:
        return self.period(getattr(settings, self.setting))


def _address(request: HttpRequest, actor: Actor | None) -> str:
    return client_ip(request) or "unknown"


def _user(request: HttpRequest, actor: Actor | None) -> str:
    return actor.user.pk if actor and actor.user else _address(request, actor)


# Of public operations that declare no limit of their own.
VISITOR = Limit("visitor", "RATE_LIMIT_GENERAL", _address)
LOGIN = Limit("login", "RATE_LIMIT_AUTH", _address)
# Of reports that a token was found where it should not be.
LEAK = Limit("leak", "RATE_LIMIT_AUTH", _address)
REGISTER = Limit("register", "RATE_LIMIT_AUTH", _address)
NEW_TOKEN = Limit("new-token", "RATE_LIMIT_TOKENS", _user)
# Of addresses that open a backup: whoever has one needs nothing else.
DOWNLOAD = Limit("download", "RATE_LIMIT_DOWNLOADS", _user, RateLimitItemPerHour)


def throttle(request: HttpRequest, limit: Limit, actor: Actor | None) -> None:
    """Counts the request. Raises Throttled where it is one too many."""
    wait = _limiter().wait(limit, limit.who(request, actor))
    if wait is not None:
        raise Throttled(wait)


class Limiter:
    """Counts in the storage at this address, by a moving window."""

    def __init__(self, address: str) -> None:
        options = {} if address.startswith("memory") else TIMEOUTS
        shared = storage_from_string(address.replace("unix://", "redis+unix://", 1), wrap_exceptions=True, **options)
        limiters = (MovingWindowRateLimiter(storage) for storage in (shared, MemoryStorage()))
        self._wait = Fallback(*(partial(_ask, limiter) for limiter in limiters))

    def wait(self, limit: Limit, who: str) -> int | None:
        """None where one more is allowed, and is now counted; else the whole seconds until one will be."""
        return self._wait(limit, who)


def _ask(limiter: MovingWindowRateLimiter, limit: Limit, who: str) -> int | None:
    item = limit.item()
    if limiter.hit(item, limit.name, who):
        return None
    free_at = limiter.get_window_stats(item, limit.name, who).reset_time
    return max(1, math.ceil(free_at - time.time()))


@cache
def _limiter() -> Limiter:
    return Limiter(settings.RATE_LIMIT_STORAGE)


def reset_limits() -> None:
    """Forgets what this process counted by itself. What it counted with may still be at work, and is left to itself."""
    _limiter.cache_clear()
