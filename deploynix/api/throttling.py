"""Rate limits, shared by all processes and decided by one call to Redis.

While Redis cannot be reached each process counts for itself: nobody is locked out, and nobody gets to try passwords
without end.
"""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.http import HttpRequest
from limits import RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

from deploynix.actor import Actor
from deploynix.client import client_ip
from deploynix.errors import Throttled

logger = logging.getLogger(__name__)
# Seconds for which Redis is left alone after it failed, so that not every request waits for its timeout.
PAUSE = 5.0
TIMEOUT = 0.5


@dataclass(frozen=True, slots=True)
class Limit:
    """A number of requests a minute, named by a setting, for each value of `who`."""

    name: str
    setting: str
    who: Callable[[HttpRequest, Actor | None], str]

    def item(self) -> RateLimitItemPerMinute:
        return RateLimitItemPerMinute(getattr(settings, self.setting))


def _address(request: HttpRequest, actor: Actor | None) -> str:
    return client_ip(request) or "unknown"


def _token(request: HttpRequest, actor: Actor | None) -> str:
    return (actor and actor.token_id) or _address(request, actor)


def _user(request: HttpRequest, actor: Actor | None) -> str:
    return actor.user.pk if actor and actor.user else _address(request, actor)


GENERAL = Limit("general", "RATE_LIMIT_GENERAL", _token)
LOGIN = Limit("login", "RATE_LIMIT_AUTH", _address)
REGISTER = Limit("register", "RATE_LIMIT_AUTH", _address)
NEW_TOKEN = Limit("new-token", "RATE_LIMIT_TOKENS", _user)


def throttle(request: HttpRequest, limit: Limit, actor: Actor | None) -> None:
    """Counts the request. Raises Throttled where it is one too many."""
    wait = _limiter().wait(limit, limit.who(request, actor))
    if wait is not None:
        raise Throttled(wait)


class Limiter:
    """Counts in the shared storage, or for a while in this process after that has failed."""

    def __init__(self, address: str) -> None:
        options = {} if address.startswith("memory") else {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT}
        storage = storage_from_string(address.replace("unix://", "redis+unix://", 1), wrap_exceptions=True, **options)
        self._shared = MovingWindowRateLimiter(storage)
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._paused_until = 0.0

    def wait(self, limit: Limit, who: str) -> int | None:
        """None where one more is allowed, and is now counted; else the whole seconds until one will be."""
        if time.monotonic() >= self._paused_until:
            try:
                return self._ask(self._shared, limit, who)
            except StorageError:
                logger.exception("rate limits are counted per process: their storage cannot be reached")
                self._paused_until = time.monotonic() + PAUSE
        return self._ask(self._own, limit, who)

    def reset(self) -> None:
        self._shared.storage.reset()
        self._own.storage.reset()

    def _ask(self, limiter: MovingWindowRateLimiter, limit: Limit, who: str) -> int | None:
        item = limit.item()
        if limiter.hit(item, limit.name, who):
            return None
        free_at = limiter.get_window_stats(item, limit.name, who).reset_time
        return max(1, math.ceil(free_at - time.time()))


@cache
def _limiter() -> Limiter:
    return Limiter(settings.RATE_LIMIT_STORAGE)


def reset_limits() -> None:
    """Forgets every count."""
    _limiter().reset()
