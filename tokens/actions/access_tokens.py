"""Making access tokens. They never change: another scope or expiry needs another token."""

from collections.abc import Sequence
from datetime import datetime
from typing import NoReturn

from django.db import transaction

from deploynix.actor import Actor
from deploynix.errors import Conflict, Invalid
from tokens.actions.making import end_of, make, require_within, require_words
from tokens.models import AccessToken, Kind
from tokens.passphrase import LONGEST, SHORTEST, hash_passphrase
from tokens.resources import limit
from tokens.wire import ACCESS_PREFIX

FIELD = "scopes"


@transaction.atomic
def create_access_token(
    actor: Actor,
    *,
    name: str,
    scopes: Sequence[str],
    passphrase: str | None = None,
    expires_at: datetime | None = None,
    servers: Sequence[str] | None = None,
    sites: Sequence[str] | None = None,
) -> tuple[AccessToken, str]:
    """An access token, and its text, which is not stored and cannot be shown again.

    With a passphrase it opens nothing without it. Made by a token, it can neither do nor see more nor live longer
    than that one. Needs token:create. Raises Denied, Invalid or ValidationError naming the field.
    """
    actor.require("token:create")
    words = require_words(ACCESS_PREFIX, scopes, FIELD)
    require_within(actor, prefix=ACCESS_PREFIX, words=words, field=FIELD)
    return make(
        AccessToken,
        actor,
        prefix=ACCESS_PREFIX,
        kind=Kind.ACCESS,
        name=name.strip(),
        grants=words,
        passphrase=_hashed(passphrase),
        expires_at=end_of(actor, expires_at),
        resources=limit(actor, {"servers": servers, "sites": sites}),
    )


def refuse_change() -> NoReturn:
    """Raises Conflict: an access token cannot be edited."""
    raise Conflict(
        "Access tokens cannot be changed.", "Delete this one and make another with the scopes and expiry that you need."
    )


def _hashed(passphrase: str | None) -> str:
    if not passphrase:
        return ""
    if not SHORTEST <= len(passphrase) <= LONGEST:
        raise Invalid({"passphrase": [f"The passphrase field must be between {SHORTEST} and {LONGEST} characters."]})
    # Whoever uses the token sends it in a header.
    if not (passphrase.isascii() and passphrase.isprintable()) or passphrase != passphrase.strip():
        raise Invalid({"passphrase": ["The passphrase field may hold printable ASCII characters, and spaces inside."]})
    return hash_passphrase(passphrase)
