"""Giving a key a new secret: another key takes its place, and for its grace period both work."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from audit.log import record
from deploynix.actor import Actor
from deploynix.errors import Conflict, Denied, Invalid
from tokens.actions.api_keys import lock_key
from tokens.actions.making import make
from tokens.actions.reach import require_reach
from tokens.actions.schedule import next_rotation
from tokens.durations import parse_duration
from tokens.models import ApiKey, Token, TokenNetwork

# Columns that the new key takes over.
_KEPT = (
    "kind",
    "organization",
    "user",
    "name",
    "description",
    "grants",
    "environment",
    "ip_allowlist",
    "rate_type",
    "resources",
    "auto_rotate",
    "rotation_period",
    "grace_period",
    "notification_email",
    "expires_at",
)


@transaction.atomic
def rotate_api_key(actor: Actor, *, key: ApiKey) -> tuple[ApiKey, str]:
    """A key with the same settings, and its text, which is not stored and cannot be shown again.

    The old one, its `predecessor`, works until its grace period is over. The new one lives no longer than the old one
    would have. A key may rotate itself; otherwise it takes token:update and all that the key opens. Raises Denied, and
    Conflict where the key was rotated before, or opens nothing.
    """
    if actor.token_id != key.pk:
        actor.require("token:update")
    key = lock_key(actor, key)
    if actor.token_id != key.pk:
        require_secret_within_reach(actor, key)
    _require_rotatable(key)
    kept = {name: getattr(key, name) for name in _KEPT}
    new, text = make(ApiKey, actor, prefix=key.prefix, **kept, rotates_at=next_rotation(kept))
    _retire(actor, key, new)
    _hand_on_networks(key, new)
    return new, text


@transaction.atomic
def close_rotation(actor: Actor, *, key: ApiKey) -> None:
    """Ends the old secret of a key before its grace period is over. Needs token:update.

    Raises Denied, and Conflict for a key that was not rotated, or was revoked.
    """
    actor.require("token:update")
    key = lock_key(actor, key)
    if key.successor is None:
        raise Conflict("This key was not rotated.", "Rotate it first; to end it for good, delete it.")
    key.revoked_at = timezone.now()
    key.save(update_fields=["revoked_at"])
    record(actor, "token.revoked", key)


def require_secret_within_reach(actor: Actor, key: Token) -> None:
    """Raises Denied where the key's secret would let the actor do more than they can."""
    try:
        require_reach(actor, key)
    except Invalid as error:
        reasons = " ".join(text for texts in error.errors.values() for text in texts)
        raise Denied("token:update", reasons, "Ask somebody who can do all that, or make another key.") from error


def _require_rotatable(key: ApiKey) -> None:
    if key.successor:
        raise Conflict(
            f"This key was rotated already: {key.successor.key_id} took its place.",
            "Use that one, or rotate that one.",
        )
    if key.has_expired:
        raise Conflict("This key has expired.", "Give it a later expires_at first, or make a new one.")
    if not key.is_active:
        raise Conflict("This key is switched off.", "Switch it on first, or make a new one.")


def _retire(actor: Actor, key: ApiKey, successor: ApiKey) -> None:
    before = _state(key)
    key.successor = successor
    key.expires_at = _end_of_grace(key, successor.created_at)
    key.auto_rotate, key.rotates_at = False, None
    key.save(update_fields=["successor", "expires_at", "auto_rotate", "rotates_at"])
    record(actor, "token.rotated", key, {name: [before[name], value] for name, value in _state(key).items()})


def _hand_on_networks(key: ApiKey, successor: ApiKey) -> None:
    """Where the key was at home, so is its successor: nobody is warned of it anew."""
    networks = list(key.networks.all())
    for network in networks:
        network.pk, network.token = None, successor
    TokenNetwork.objects.bulk_create(networks)


def _end_of_grace(key: ApiKey, rotated_at: datetime) -> datetime:
    grace: timedelta = parse_duration(key.grace_period)
    end = rotated_at + grace
    return min(end, key.expires_at) if key.expires_at else end


def _state(key: ApiKey) -> Mapping[str, Any]:
    return {
        "successor": key.successor.key_id if key.successor else None,
        "expires_at": key.expires_at.isoformat() if key.expires_at else None,
    }
