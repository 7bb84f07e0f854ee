"""What happens elsewhere and ends tokens."""

from typing import Any

from django.dispatch import receiver

from accounts.models import User
from organizations.models import Organization
from organizations.signals import member_removed
from tokens.actions import revoke_tokens_of_member


@receiver(member_removed)
def end_tokens(sender: Any, organization: Organization, user: User, **_: Any) -> None:
    revoke_tokens_of_member(organization=organization, user=user)
