"""What happens elsewhere and concerns tokens."""

from typing import Any

from django.dispatch import receiver
from django.http import HttpRequest

from accounts.models import User
from deploynix.actor import Actor
from deploynix.signals import dry_run_ended
from organizations.models import Organization
from organizations.signals import member_removed
from tokens.actions import record_dry_run, revoke_tokens_of_member


@receiver(member_removed)
def end_tokens(sender: Any, organization: Organization, user: User, **_: Any) -> None:
    revoke_tokens_of_member(organization=organization, user=user)


@receiver(dry_run_ended)
def tell_of_dry_run(sender: Any, actor: Actor, request: HttpRequest, status: int, events: list[str], **_: Any) -> None:
    record_dry_run(actor, request=f"{request.method} {request.path}", status=status, events=events)
