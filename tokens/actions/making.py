"""What making a token of any kind has in common."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar

from django.utils import timezone

from audit.log import record
from deploynix.actor import Actor
from deploynix.errors import Denied, Invalid
from organizations.models import Organization
from tokens.models import Token
from tokens.vocabularies import VOCABULARIES, opened
from tokens.wire import digest, new_token, newest_pepper

API_ACCESS = "api_access"
SomeToken = TypeVar("SomeToken", bound=Token)


def make(model: type[SomeToken], actor: Actor, *, prefix: str, **fields: Any) -> tuple[SomeToken, str]:
    """A new token, and its text, which is not stored and cannot be shown again.

    It is the actor's user's where `fields` name no other. Raises ValidationError naming a field of the model.
    """
    require_api_access(actor.organization)
    wire, pepper = new_token(prefix), newest_pepper()
    token = model(
        prefix=wire.prefix,
        public_id=wire.public_id,
        digest=digest(wire, pepper),
        pepper=pepper,
        **{"organization": actor.organization, "user": actor.user, **fields},
    )
    # A token of somebody without any ability still opens what needs no more than a token.
    token.full_clean(exclude={"grants"})
    token.save(force_insert=True)
    record(actor, "token.created", token, {"grants": [None, token.grants]})
    return token, wire.text


def require_api_access(organization: Organization) -> None:
    """Raises Denied where the organization's plan has no API."""
    plan = organization.plan_details
    if not plan.api_access:
        raise Denied(
            API_ACCESS,
            f"The {plan.label} plan has no API access.",
            "Upgrade to the Professional or Enterprise plan to use the API.",
        )


def require_words(prefix: str, words: Iterable[str], field: str) -> list[str]:
    """The words, each once. Raises Invalid, naming `<field>.<position>`, for one that the vocabulary does not hold."""
    vocabulary = VOCABULARIES[prefix]
    wanted = list(dict.fromkeys(words))
    errors = {
        f"{field}.{position}": [f"The selected {vocabulary.noun} {word} is invalid."]
        for position, word in enumerate(wanted)
        if word not in vocabulary.opens
    }
    if not wanted:
        errors[field] = [f"Choose at least one {vocabulary.noun}."]
    if errors:
        raise Invalid(errors)
    return wanted


def require_within(actor: Actor, *, prefix: str, words: Iterable[str], field: str) -> None:
    """Raises Invalid where a token of the actor's could do what the actor cannot. What a role cuts off is no gain."""
    gained = sorted(opened(prefix, tuple(words), actor.role) - actor.abilities)
    if gained:
        raise Invalid({field: [f"You cannot give what you do not have yourself: {', '.join(gained)}."]})


def end_of(actor: Actor, expires_at: datetime | None) -> datetime | None:
    """When a new token of the actor ends: made by a token, no later than that one. Raises Invalid."""
    require_future(expires_at)
    latest = Token.objects.get(pk=actor.token_id).expires_at if actor.token_id else None
    if latest is not None and expires_at is not None and expires_at > latest:
        raise Invalid({"expires_at": ["The new token cannot outlive the one that makes it."]})
    return expires_at or latest


def require_future(expires_at: datetime | None) -> None:
    if expires_at is not None and expires_at <= timezone.now():
        raise Invalid({"expires_at": ["The expires at field must be a date in the future."]})
