"""Nobody hands out more by a key than they have themselves: abilities, and time."""

from collections.abc import Mapping
from typing import Any

from deploynix.actor import Actor
from deploynix.errors import Invalid
from organizations.models import Membership
from tokens.models import ApiKey, Token
from tokens.vocabularies import opened


def require_reach(actor: Actor, key: Token) -> None:
    """Raises Invalid, naming permissions or expires_at, where the key can do more or lives longer than the actor.

    What it sees is within reach already: `visible_to` shows a limited token no key that sees more.
    """
    errors: dict[str, list[str]] = {}
    if gained := sorted(_opened(key) - actor.abilities):
        errors["permissions"] = [f"With this key one could do what you cannot: {', '.join(gained)}."]
    if _outlives(actor, key):
        errors["expires_at"] = ["The key would outlive the token that asks."]
    if errors:
        raise Invalid(errors)


def only_narrows(key: ApiKey, changes: Mapping[str, Any]) -> bool:
    """Whether the key opens no more with these columns than it does now."""
    return all(_narrows(key, name, value) for name, value in changes.items())


def _narrows(key: ApiKey, name: str, value: Any) -> bool:
    if name == "is_active":
        return not value
    if name == "grants":
        return opened(key.prefix, tuple(value), "owner") <= opened(key.prefix, tuple(key.grants), "owner")
    if name == "ip_allowlist":
        return bool(value) and (not key.ip_allowlist or set(value) <= set(key.ip_allowlist))
    if name == "expires_at":
        return value is not None and (key.expires_at is None or value < key.expires_at)
    return name in ("name", "description", "rate_type")


def _opened(key: Token) -> frozenset[str]:
    """A key acts in the role of who made it, whoever holds its secret."""
    role = Membership.objects.filter(organization=key.organization_id, user=key.user_id).values_list("role").get()[0]
    return opened(key.prefix, tuple(key.grants), role)


def _outlives(actor: Actor, key: Token) -> bool:
    if actor.token_id is None:
        return False
    latest = Token.objects.get(pk=actor.token_id).expires_at
    return latest is not None and (key.expires_at is None or key.expires_at > latest)
