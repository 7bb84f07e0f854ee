"""What people do to their own accounts, told to every organization they belong to."""

from django.db import transaction

from accounts.models import User
from audit.log import record
from deploynix.actor import Actor
from organizations.models import Membership


@transaction.atomic
def record_account_event(user: User, *, event: str, ip: str | None) -> None:
    """One audit row in each of the person's organizations; none for someone who is in none."""
    for membership in _memberships(user):
        record(membership.as_actor(ip), event, user)


@transaction.atomic
def record_failed_sign_in(user: User, *, ip: str | None) -> None:
    """As `record_account_event`, but whoever tried is not known to be that person."""
    for membership in _memberships(user):
        stranger = Actor(organization=membership.organization, abilities=frozenset(), label="Not signed in", ip=ip)
        record(stranger, "user.sign-in-failed", user)


def _memberships(user: User) -> list[Membership]:
    return list(Membership.objects.filter(user=user).select_related("organization", "user"))
