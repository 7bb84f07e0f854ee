"""When, from where and how often each token was used: kept in memory, written at most once a minute per token.

A request writes nothing. A thread of each web process writes what its requests noted; a token that another process
wrote within the last minute waits for its turn.
"""

import atexit
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.utils import timezone

from tokens.models import Token

logger = logging.getLogger(__name__)
INTERVAL = timedelta(minutes=1)
# Seconds between two looks at what is waiting, so that a first use shows soon.
TICK = 5.0


@dataclass(slots=True)
class Use:
    count: int
    at: datetime
    ip: str | None


class UsageLog:
    """The uses that are not written yet, by token id."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, Use] = {}

    def note(self, token_id: str, use: Use) -> None:
        with self._lock:
            earlier = self._waiting.get(token_id)
            if earlier:
                use.count += earlier.count
            self._waiting[token_id] = use

    def take(self) -> dict[str, Use]:
        with self._lock:
            taken, self._waiting = self._waiting, {}
        return taken

    def give_back(self, uses: Mapping[str, Use]) -> None:
        with self._lock:
            for token_id, use in uses.items():
                later = self._waiting.setdefault(token_id, use)
                if later is not use:
                    later.count += use.count


_log = UsageLog()


def note_use(token_id: str, ip: str | None) -> None:
    _log.note(token_id, Use(1, timezone.now(), ip))


def write_uses(*, everything: bool = False) -> None:
    """Writes what was noted; `everything` also for tokens that were written less than a minute ago."""
    uses = _log.take()
    if not uses:
        return
    try:
        with transaction.atomic():
            _log.give_back(_write(uses, everything))
    except DatabaseError:
        logger.exception("the use of %d tokens could not be written; it is kept for the next time", len(uses))
        _log.give_back(uses)


def _write(uses: Mapping[str, Use], everything: bool) -> dict[str, Use]:
    """Returns what has to wait; what belongs to a deleted token is dropped."""
    waiting: dict[str, Use] = {}
    now = timezone.now()
    for token_id, written_at in Token.objects.filter(pk__in=uses).values_list("pk", "last_used_at"):
        use = uses[token_id]
        if written_at and now - written_at < INTERVAL and not everything:
            waiting[token_id] = use
            continue
        Token.objects.filter(pk=token_id).update(
            last_used_at=use.at, last_used_ip=use.ip, use_count=F("use_count") + use.count
        )
    return waiting


def start_writer(**_: object) -> None:
    """Starts the thread that writes; called once in each web process."""
    threading.Thread(target=_write_forever, name="token-usage", daemon=True).start()
    atexit.register(write_uses, everything=True)


def _write_forever() -> None:
    pause = threading.Event()
    while not pause.wait(TICK):
        try:
            write_uses()
        finally:
            connection.close()
