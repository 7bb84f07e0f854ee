"""Ending tokens whose text was found where it should not be."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit.log import record
from deploynix.actor import system_actor
from tokens.alerts import warn_of_leak
from tokens.models import Token
from tokens.wire import (
    CHECKSUM_LENGTH,
    PREFIXES,
    PUBLIC_ID_LENGTH,
    SECRET_LENGTH,
    WireToken,
    is_digest,
    newest_pepper,
    parse,
)

_BODY = rf"[0-9A-Za-z]{{{PUBLIC_ID_LENGTH}}}_[0-9A-Za-z]{{{SECRET_LENGTH + CHECKSUM_LENGTH}}}"
_TEXT_OF_TOKEN = re.compile(rf"(?:{'|'.join(PREFIXES)}){_BODY}")
LONGEST_PLACE = 500


def report_leak(*, texts: Iterable[str], place: str, ip: str | None) -> None:
    """Revokes each token that is shown whole, and tells its maker and the owners. Says nothing of any of them.

    Whoever shows a token could use it as well, so no other proof is asked for. `place` is where it was found.
    """
    place = _TEXT_OF_TOKEN.sub("[token]", " ".join(place.split()))[:LONGEST_PLACE]
    for token in _shown([wire for wire in map(parse, {text.strip() for text in texts}) if wire]):
        _end(token, place, ip)


def _shown(wires: Sequence[WireToken]) -> QuerySet[Token]:
    ids = [wire.public_id for wire in wires]
    columns = Token.objects.filter(public_id__in=ids).values_list("public_id", "digest", "pepper")
    stored = {public_id: (digest, pepper) for public_id, digest, pepper in columns}
    # An id that does not exist takes as long as a wrong secret.
    nothing = ("", newest_pepper())
    proven = []
    for wire in wires:
        digest, pepper = stored.get(wire.public_id, nothing)
        if is_digest(digest, wire, pepper):
            proven.append(wire.public_id)
    return Token.objects.select_related("organization").filter(public_id__in=proven)


@transaction.atomic
def _end(token: Token, place: str, ip: str | None) -> None:
    if not Token.objects.unrevoked().filter(pk=token.pk).update(revoked_at=timezone.now()):
        return
    actor = replace(system_actor(token.organization), ip=ip)
    record(actor, "token.leaked", token, {"place": [None, place]} if place else None)
    warn_of_leak(token, place=place)
