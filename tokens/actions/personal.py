"""Making and revoking personal tokens."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from audit.log import record
from deploynix.abilities import ABILITIES, expand
from deploynix.actor import Actor, system_actor
from deploynix.errors import Conflict, Denied, Invalid
from organizations.models import Organization
from tokens.models import Kind, Token
from tokens.wire import digest, new_token, newest_pepper

PERSONAL_PREFIX = "dnx_"
API_ACCESS = "api_access"


@transaction.atomic
def create_token(
    actor: Actor, *, name: str, abilities: Sequence[str] | None = None, expires_at: datetime | None = None
) -> tuple[Token, str]:
    """A personal token of the actor's user, and its text, which is not stored and cannot be shown again.

    Without `abilities` it carries every ability of the actor; `*` in one stands for all of them that match. Made by
    a token, it can neither do more nor live longer than that one. Raises Denied where the plan has no API access,
    Invalid or ValidationError naming name, `abilities.<position>` or expires_at.
    """
    require_api_access(actor.organization)
    wire = new_token(PERSONAL_PREFIX)
    pepper = newest_pepper()
    token = Token(
        kind=Kind.PERSONAL,
        organization=actor.organization,
        user=actor.user,
        name=name.strip(),
        prefix=wire.prefix,
        public_id=wire.public_id,
        digest=digest(wire, pepper),
        pepper=pepper,
        abilities=sorted(actor.abilities if abilities is None else _granted(actor, abilities)),
        expires_at=_end(actor, expires_at),
    )
    # A token of somebody without any ability still opens what needs no more than a token.
    token.full_clean(exclude={"abilities"})
    token.save(force_insert=True)
    record(actor, "token.created", token, {"abilities": [None, token.abilities]})
    return token, wire.text


@transaction.atomic
def revoke_token(actor: Actor, *, token: Token) -> None:
    """Ends a token, from the next request on. Somebody else's needs token:delete. Raises Conflict if it has ended."""
    if actor.user is None or token.user_id != actor.user.pk:
        actor.require("token:delete")
    active = Token.objects.visible_to(actor).filter(pk=token.pk, revoked_at=None)
    if not active.update(revoked_at=timezone.now()):
        raise Conflict("This token was already revoked.")
    record(actor, "token.revoked", token)


@transaction.atomic
def revoke_tokens_of_member(*, organization: Organization, user: User) -> None:
    """Ends every token that the person has in the organization."""
    tokens = Token.objects.filter(organization=organization, user=user, revoked_at=None)
    for token in tokens:
        record(system_actor(organization), "token.revoked", token)
    tokens.update(revoked_at=timezone.now())


def require_api_access(organization: Organization) -> None:
    """Raises Denied where the organization's plan has no API."""
    plan = organization.plan_details
    if not plan.api_access:
        raise Denied(
            API_ACCESS,
            f"The {plan.label} plan has no API access.",
            "Upgrade to the Professional or Enterprise plan to use the API.",
        )


def _granted(actor: Actor, patterns: Iterable[str]) -> set[str]:
    granted: set[str] = set()
    errors: dict[str, list[str]] = {}
    for position, pattern in enumerate(patterns):
        try:
            granted |= _within(actor, pattern)
        except Invalid as error:
            errors[f"abilities.{position}"] = error.errors["abilities"]
    if errors:
        raise Invalid(errors)
    return granted


def _within(actor: Actor, pattern: str) -> set[str]:
    """The abilities that a pattern names, cut to the actor's; one named outright must be among them."""
    try:
        named = expand([pattern])
    except ValueError as error:
        raise Invalid({"abilities": [f"The selected ability {pattern} is invalid."]}) from error
    allowed = named & actor.abilities
    if not allowed or (pattern in ABILITIES and pattern not in allowed):
        raise Invalid({"abilities": [f"You do not have the ability {pattern} yourself."]})
    return set(allowed)


def _end(actor: Actor, expires_at: datetime | None) -> datetime | None:
    if expires_at is not None and expires_at <= timezone.now():
        raise Invalid({"expires_at": ["The expires at field must be a date in the future."]})
    latest = Token.objects.get(pk=actor.token_id).expires_at if actor.token_id else None
    if latest is not None and expires_at is not None and expires_at > latest:
        raise Invalid({"expires_at": ["The new token cannot outlive the one that makes it."]})
    return expires_at or latest
