"""What the commands take."""

from django.core.management.base import CommandError
from django.db.models import Q

from organizations.models import Organization


def organization_called(wanted: str) -> Organization:
    """By its id, or its name where only one has it. Raises CommandError."""
    found = list(Organization.objects.filter(Q(pk=wanted) | Q(name=wanted))[:2])
    if not found:
        raise CommandError(f"No organization has the id or name {wanted}.")
    if len(found) > 1:
        raise CommandError(f"More than one organization is called {wanted}. Give the id instead.")
    return found[0]
