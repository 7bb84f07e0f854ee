"""What the layout of every page needs."""

from typing import Any

from django.http import HttpRequest

from organizations.models import Membership


def navigation(request: HttpRequest) -> dict[str, Any]:
    actor = getattr(request, "actor", None)
    if not actor:
        return {"actor": None}
    memberships = Membership.objects.filter(user=actor.user).select_related("organization").order_by("created_at")
    return {"actor": actor, "memberships": memberships}
