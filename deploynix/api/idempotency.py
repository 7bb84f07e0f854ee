"""`Idempotency-Key`: the same POST sent again answers what the first one answered, and does the work only once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
from django.db import OperationalError, connection, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from deploynix.actor import Actor
from deploynix.api.responses import Response
from deploynix.errors import Conflict, Invalid
from deploynix.models import IdempotencyKey

LIFE = timedelta(hours=24)
LONGEST_KEY = 255
# Seconds that a request waits for an equal one that is still running.
PATIENCE = 10


class StillRunning(Conflict):
    retry_after = 1

    def __init__(self) -> None:
        super().__init__("A request with this Idempotency-Key is still running.", "Send it again in a moment.")


def answer_once(
    request: HttpRequest, actor: Actor | None, body: dict[str, Any], answer: Callable[[], Response]
) -> Response:
    """What `answer` makes, or what it made when this key was used first.

    The key is written in the transaction in which the work is done. An equal request that comes meanwhile waits at
    the unique index: work that is undone, by an error or a lost process, frees the key, and work that is committed
    has its answer beside it.
    """
    row = IdempotencyKey(
        scope=_scope(actor), key=_key(request), request=f"{request.method} {request.path}", digest=_digest(body)
    )
    with transaction.atomic():
        first = _claim(row)
        if first.pk != row.pk:
            return _replay(first, row)
        response = answer()
        IdempotencyKey.objects.filter(pk=row.pk).update(status=response.status_code, answer=response.kept)
        return response


def _claim(row: IdempotencyKey) -> IdempotencyKey:
    """The row that holds the key: `row` itself where it is the first."""
    same = IdempotencyKey.objects.filter(scope=row.scope, key=row.key)
    try:
        _limit_waiting()
        same.filter(created_at__lt=timezone.now() - LIFE).delete()
        # Unlike a plain insert this leaves the transaction usable when the key is taken.
        IdempotencyKey.objects.bulk_create([row], ignore_conflicts=True)
    except OperationalError as error:
        raise StillRunning from error
    return same.get()


def _limit_waiting() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{PATIENCE}s"])


def _replay(first: IdempotencyKey, again: IdempotencyKey) -> Response:
    if (first.request, first.digest) != (again.request, again.digest):
        raise Invalid({"Idempotency-Key": ["This key was already used for another request. Use a new one."]})
    response = Response(status=first.status or 200, encoded=first.answer.encode())
    response["Idempotency-Replayed"] = "true"
    return response


def _scope(actor: Actor | None) -> str:
    if actor is None:
        return "anybody"
    # What another token of the same user was answered may be about what a limited one does not see.
    if actor.resources is not None:
        return f"{actor.organization.pk}:{actor.token_id}"
    return f"{actor.organization.pk}:{actor.user.pk if actor.user else ''}"


def _key(request: HttpRequest) -> str:
    key: str = request.headers["Idempotency-Key"].strip()
    if not 0 < len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise Invalid({"Idempotency-Key": [f"The key must be 1 to {LONGEST_KEY} printable ASCII characters."]})
    return key


def _digest(body: dict[str, Any]) -> str:
    """Keyed, because the body may hold a password."""
    try:
        canonical = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        # It reads four times as deep as it writes.
        raise Invalid({"body": ["The body is nested too deeply."]}) from error
    return salted_hmac("deploynix.api.idempotency", canonical, algorithm="sha256").hexdigest()


def forget_old_keys() -> int:
    """Deletes the keys that no longer count; returns how many."""
    deleted, _ = IdempotencyKey.objects.filter(created_at__lt=timezone.now() - LIFE).delete()
    return deleted
