"""Making personal tokens, and revoking tokens of any kind."""

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
from tokens.actions.making import end_of, make
from tokens.models import Kind, PersonalToken, Token
from tokens.resources import limit
from tokens.wire import PERSONAL_PREFIX


@transaction.atomic
def create_token(
    actor: Actor,
    *,
    name: str,
    abilities: Sequence[str] | None = None,
    expires_at: datetime | None = None,
    servers: Sequence[str] | None = None,
    sites: Sequence[str] | None = None,
) -> tuple[PersonalToken, str]:
    """A personal token of the actor's user, and its text, which is not stored and cannot be shown again.

    Without `abilities` it carries every ability of the actor; `*` in one stands for all of them that match. `servers`
    and `sites`, ids, are all that it sees; without either it sees the whole organization. Made by a token, it can
    neither do nor see more nor live longer than that one. An API key or access token, which is held by addresses, a
    passphrase or a rate of its own, makes none. Raises Denied, also where the plan has no API access, Invalid or
    ValidationError naming name, `abilities.<position>`, `servers.<position>`, `sites.<position>` or expires_at.
    """
    if actor.token_kind not in ("", Kind.PERSONAL):
        raise Denied("token:create", "API keys and access tokens cannot make tokens.", "Make it with a personal token.")
    return make(
        PersonalToken,
        actor,
        prefix=PERSONAL_PREFIX,
        kind=Kind.PERSONAL,
        name=name.strip(),
        grants=sorted(actor.abilities if abilities is None else _granted(actor, abilities)),
        expires_at=end_of(actor, expires_at),
        resources=limit(actor, {"servers": servers, "sites": sites}),
    )


def revoke_token(actor: Actor, *, token: Token) -> None:
    """Ends a token, from the next request on. Somebody else's needs token:delete. Raises Conflict if it has ended."""
    if not revoke_tokens(actor, tokens=[token]):
        raise Conflict("This token was already revoked.")


@transaction.atomic
def revoke_tokens(actor: Actor, *, tokens: Iterable[Token]) -> int:
    """Ends all of these from the next request on, and returns how many; one that has ended already is left alone.

    Somebody else's need token:delete. Raises Denied, and then ends none.
    """
    ids = {token.pk for token in tokens}
    if Token.objects.of_actor(actor).filter(pk__in=ids).count() < len(ids):
        actor.require("token:delete")
    rows = Token.objects.visible_to(actor).unrevoked().filter(pk__in=ids)
    ended = list(rows.select_for_update())
    rows.update(revoked_at=timezone.now())
    for token in ended:
        record(actor, "token.revoked", token)
    return len(ended)


@transaction.atomic
def revoke_tokens_of_member(*, organization: Organization, user: User) -> None:
    """Ends every token that the person has in the organization."""
    tokens = Token.objects.filter(organization=organization, user=user, revoked_at=None)
    for token in tokens:
        record(system_actor(organization), "token.revoked", token)
    tokens.update(revoked_at=timezone.now())


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
