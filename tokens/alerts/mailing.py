"""A warning about a token: written down once, together with the job that mails it."""

from collections.abc import Sequence

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse

from deploynix.actor import system_actor
from jobs.actions import enqueue_job
from organizations.models import Role
from tokens.models import Token, TokenAlert

LEAKED = "leaked"
# How mails write a time.
TIME = "%-d %b %Y, %H:%M UTC"


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
    # Spaces alone: the name becomes part of a mail's header.
    title = f"{' '.join(token.name.split())} {title}"
    link = settings.BASE_URL + reverse("token_use", args=[token.pk])
    context = {"token": token, "title": title, "lines": lines, "advice": advice, "link": link}
    enqueue_job(
        system_actor(token.organization),
        kind="warn_of_token",
        subject=token,
        label="Mail a warning about a token",
        params={"kind": kind, "title": title, "text": render_to_string("tokens/mail/warning.txt", context)},
    )


def recipients(token: Token, kind: str) -> list[str]:
    """The maker, while a member; who is to be told about the key; and of a leak all owners."""
    members = token.organization.memberships.filter(user__is_active=True)
    people = Q(user=token.user_id) | (Q(role=Role.OWNER) if kind == LEAKED else Q())
    addresses = members.filter(people).order_by("pk").values_list("user__email", flat=True)
    return list(dict.fromkeys(filter(None, [*addresses, token.notification_email])))
