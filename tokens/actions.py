"""Making and revoking tokens."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from audit.log import record
from deploynix.actor import Actor
from deploynix.abilities import expand
from tokens.models import Kind, Token
from tokens.wire import digest, new_token, newest_pepper

PERSONAL_PREFIX = "dnx_"


@transaction.atomic
def create_token(
    actor: Actor, *, name: str, abilities: Iterable[str] | None = None, expires_at: datetime | None = None
) -> tuple[Token, str]:
    """A personal token of the actor's user, and its text, which is not stored and cannot be shown again.

    Without `abilities` it carries every ability of the actor.
    """
    wanted = actor.abilities if abilities is None else expand(abilities)
    wire = new_token(PERSONAL_PREFIX)
    pepper = newest_pepper()
    token = Token(
        kind=Kind.PERSONAL,
        organization=actor.organization,
        user=actor.user,
        name=name,
        prefix=wire.prefix,
        public_id=wire.public_id,
        digest=digest(wire, pepper),
        pepper=pepper,
        abilities=sorted(wanted),
        expires_at=expires_at,
    )
    token.full_clean()
    token.save()
    record(actor, "token.created", token)
    return token, wire.text
