"""What requests note. This runs with every request: two lookups and an addition, and nothing that can fail."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

from django.http import HttpRequest
from django.utils import timezone

from deploynix.actor import Actor

# So many different callers of a token are told apart until they are written, which bounds the memory.
ROOM = 200
LONGEST_AGENT = 255


@dataclass(slots=True)
class Tally:
    count: int
    first_at: datetime
    last_at: datetime

    def add(self, other: "Tally") -> None:
        self.count += other.count
        self.first_at = min(self.first_at, other.first_at)
        self.last_at = max(self.last_at, other.last_at)


class Use(NamedTuple):
    """`route` is a pattern of the URL resolver, empty where the caller was one too many; `day` an ordinal, in UTC."""

    ip: str | None
    agent: str
    method: str
    route: str
    ability: str
    day: int


class Failure(NamedTuple):
    code: str
    ip: str | None
    day: int


Key = TypeVar("Key", Use, Failure)
Notes = dict[Key, Tally]


class Log(Generic[Key]):
    """What is not written yet, by token id. `fold` leaves the caller out of what finds no room any more."""

    def __init__(self, fold: Callable[[Key], Key]) -> None:
        self._fold: Callable[[Key], Key] = fold
        self._lock = threading.Lock()
        self._waiting: dict[str, Notes[Key]] = {}

    def note(self, token_id: str, key: Key, now: datetime) -> None:
        with self._lock:
            notes = self._waiting.get(token_id)
            if notes is None:
                notes = self._waiting[token_id] = {}
            tally = notes.get(key)
            if tally is None:
                tally = self._tally(notes, key, now)
            tally.count += 1
            tally.last_at = now

    def take(self) -> dict[str, Notes[Key]]:
        with self._lock:
            taken, self._waiting = self._waiting, {}
        return taken

    def give_back(self, waiting: Mapping[str, Notes[Key]]) -> None:
        with self._lock:
            for token_id, notes in waiting.items():
                later = self._waiting.setdefault(token_id, {})
                for key, tally in notes.items():
                    self._tally(later, key, tally.first_at).add(tally)

    def _tally(self, notes: Notes[Key], key: Key, now: datetime) -> Tally:
        if key not in notes and len(notes) >= ROOM:
            key = self._fold(key)
        return notes.setdefault(key, Tally(0, now, now))


uses: Log[Use] = Log(lambda use: use._replace(ip=None, agent="", method="", route=""))
failures: Log[Failure] = Log(lambda failure: failure._replace(ip=None))


def note_use(request: HttpRequest, actor: Actor, ability: str) -> None:
    """Notes that the actor's token was used; `ability` is what the request needed, empty where any token will do."""
    now = timezone.now()
    match = request.resolver_match
    agent = request.META.get("HTTP_USER_AGENT", "")[:LONGEST_AGENT]
    key = Use(actor.ip, agent, request.method or "", match.route if match else "", ability, now.toordinal())
    uses.note(actor.token_id or "", key, now)


def note_failure(token_id: str, code: str, ip: str | None) -> None:
    """Notes that a request with the token was refused, for the reason that the error's `code` names."""
    now = timezone.now()
    failures.note(token_id, Failure(code, ip, now.toordinal()), now)
