"""Counting in Redis, which all processes share, and what happens while it cannot be reached.

Each process then counts for itself: nobody is locked out, and nobody gets to try passwords without end.
"""

import logging
import time
from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar

from limits.errors import StorageError
from redis.exceptions import RedisError

P = ParamSpec("P")
Answer = TypeVar("Answer")

logger = logging.getLogger(__name__)
# Seconds for which Redis is left alone after it failed, so that not every request waits for its timeout.
PAUSE = 5.0
TIMEOUT = 0.5
TIMEOUTS = {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT}


class Fallback(Generic[P, Answer]):
    """Asks `shared`, or for a while after that has failed `own`, which takes and answers the same."""

    def __init__(self, shared: Callable[P, Answer], own: Callable[P, Answer]) -> None:
        self._shared = shared
        self._own = own
        self._paused_until = 0.0

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Answer:
        if time.monotonic() >= self._paused_until:
            try:
                return self._shared(*args, **kwargs)
            except (StorageError, RedisError):
                logger.exception("rate limits are counted per process: their storage cannot be reached")
                self._paused_until = time.monotonic() + PAUSE
        return self._own(*args, **kwargs)
