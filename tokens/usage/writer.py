"""Writes what was noted, from a thread of each web process."""

import atexit
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from itertools import islice

from django.db import DatabaseError, connection, transaction
from django.db.models import F, Max
from django.utils import timezone

from tokens.alerts import warn_of_failures
from tokens.models import Token, TokenFailure
from tokens.usage import noting
from tokens.usage.noting import Failure, Key, Log, Notes, Tally, Use
from tokens.usage.rows import write_abilities, write_callers, write_days, write_failures, write_networks

logger = logging.getLogger(__name__)
INTERVAL = timedelta(minutes=1)
# Seconds between two looks at what is waiting, so that a first use shows soon.
TICK = 5.0
# So many tokens are written in one transaction.
CHUNK = 100
WrittenAt = Callable[[list[str]], Mapping[str, datetime | None]]


def write_noted(*, everything: bool = False) -> None:
    """Writes what was noted; `everything` also of tokens that were written less than a minute ago."""
    _empty(noting.uses, _uses_written_at, _write_uses, everything)
    _empty(noting.failures, _failures_written_at, _write_failures, everything)


def _empty(log: Log[Key], written_at: WrittenAt, write: Callable[[Mapping[str, Notes[Key]]], None], now: bool) -> None:
    """What has to wait and what cannot be written goes back to the log; what belongs to a deleted token is dropped."""
    noted = log.take()
    try:
        for chunk in _chunks(noted):
            times = written_at(list(chunk))
            due = {pk for pk, time in times.items() if now or not time or timezone.now() - time >= INTERVAL}
            if due:
                write({token_id: notes for token_id, notes in chunk.items() if token_id in due})
            for token_id in chunk:
                if token_id in due or token_id not in times:
                    del noted[token_id]
    except DatabaseError:
        logger.exception("the use of %d tokens could not be written; it is kept for the next time", len(noted))
    finally:
        log.give_back(noted)


def _chunks(noted: Mapping[str, Notes[Key]]) -> Iterator[dict[str, Notes[Key]]]:
    # Always in the same order, so that two processes never wait for each other's locks.
    tokens = iter(sorted(noted))
    while chunk := list(islice(tokens, CHUNK)):
        yield {token_id: noted[token_id] for token_id in chunk}


def _uses_written_at(token_ids: list[str]) -> Mapping[str, datetime | None]:
    return dict(Token.objects.filter(pk__in=token_ids).values_list("pk", "last_used_at"))


def _failures_written_at(token_ids: list[str]) -> Mapping[str, datetime | None]:
    last = dict(TokenFailure.objects.filter(token__in=token_ids).values_list("token").annotate(Max("last_at")))
    return {pk: last.get(pk) for pk in Token.objects.filter(pk__in=token_ids).values_list("pk", flat=True)}


def _locked(token_ids: Mapping[str, object]) -> dict[str, Token]:
    """The tokens, held until the transaction ends: whoever adds to their rows waits for it."""
    rows = Token.objects.select_for_update(no_key=True).filter(pk__in=token_ids).order_by("pk")
    return {token.pk: token for token in rows}


@transaction.atomic
def _write_uses(noted: Mapping[str, Notes[Use]]) -> None:
    tokens = _locked(noted)
    noted = {token_id: notes for token_id, notes in noted.items() if token_id in tokens}
    for token_id, notes in noted.items():
        _count(tokens[token_id], notes)
    write_days(noted)
    write_callers(noted)
    write_abilities(noted)
    write_networks(tokens, noted)


def _count(token: Token, notes: Notes[Use]) -> None:
    last, tally = max(notes.items(), key=lambda noted: noted[1].last_at)
    changes: dict[str, object] = {"use_count": F("use_count") + _total(notes)}
    if token.last_used_at is None or token.last_used_at < tally.last_at:
        changes |= {"last_used_at": tally.last_at, "last_used_ip": last.ip}
    Token.objects.filter(pk=token.pk).update(**changes)


@transaction.atomic
def _write_failures(noted: Mapping[str, Notes[Failure]]) -> None:
    tokens = _locked(noted)
    noted = {token_id: notes for token_id, notes in noted.items() if token_id in tokens}
    write_failures(noted)
    for token_id, notes in noted.items():
        told = partial(
            warn_of_failures,
            tokens[token_id],
            count=_total(notes),
            addresses={failure.ip for failure in notes if failure.ip},
        )
        # Afterwards, for it asks the shared cache, and the tokens are locked here.
        transaction.on_commit(told, robust=True)


def _total(notes: Mapping[Key, Tally]) -> int:
    return sum(tally.count for tally in notes.values())


def start_writer(**_: object) -> None:
    """Starts the thread that writes; called once in each web process."""
    threading.Thread(target=_write_forever, name="token-usage", daemon=True).start()
    atexit.register(write_noted, everything=True)


def _write_forever() -> None:
    pause = threading.Event()
    while not pause.wait(TICK):
        try:
            write_noted()
        except Exception:
            logger.exception("the use of tokens could not be written")
        finally:
            connection.close()
