"""A warning about a token: written down once, together with the job that mails it."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q
from django.urls import reverse

from jobs.warnings import enqueue_warning
from organizations.models import Role, addresses_of
from tokens.models import Token, TokenAlert

LEAKED = "leaked"


@transaction.atomic
def warn(token: Token, *, kind: str, subject: str, title: str, lines: Sequence[str], advice: str) -> None:
    """Mails the token's people, unless they were warned of this `subject` before. `title` goes on after its name."""
    if is_first(token, kind, subject):
        mail(token, kind=kind, title=title, lines=lines, advice=advice)


def is_first(token: Token, kind: str, subject: str) -> bool:
    """Whether the token's people were not warned of this before; they now are. Call it in a transaction."""
    _, is_new = TokenAlert.objects.get_or_create(token=token, kind=kind, subject=subject)
    return is_new


def mail(token: Token, *, kind: str, title: str, lines: Sequence[str], advice: str) -> None:
    """Queues the mail to the token's people. `title` goes on after the token's name."""
    enqueue_warning(
        token,
        job="warn_of_token",
        label="Mail a warning about a token",
        kind=kind,
        title=f"{token.name} {title}",
        lines=lines,
        about=f"the token {token.prefix}{token.public_id}",
        advice=advice,
        page=reverse("token_use", args=[token.pk]),
    )


def recipients(token: Token, kind: str) -> list[str]:
    """The maker, while a member; who is to be told about the key; and of a leak all owners."""
    people = Q(user=token.user_id) | (Q(role=Role.OWNER) if kind == LEAKED else Q())
    addresses = addresses_of(token.organization, people)
    return list(dict.fromkeys(filter(None, [*addresses, token.notification_email])))
