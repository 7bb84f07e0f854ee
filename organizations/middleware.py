"""Gives every request that a person signed in for its `actor`."""

from collections.abc import Callable
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from accounts.models import User
from deploynix.actor import Actor
from deploynix.client import client_ip
from organizations.models import Membership

SESSION_KEY = "organization"


def memberships_of(request: HttpRequest) -> list[Membership]:
    """Those of the signed-in person, the one joined first first."""
    if not request.user.is_authenticated:
        return []
    rows = Membership.objects.filter(user=request.user).select_related("organization")
    return list(rows.order_by("created_at"))


def actor_of(request: HttpRequest) -> Actor | None:
    """The person in the organization that the session chose, else in the one joined first."""
    rows: list[Membership] = request.memberships  # type: ignore[attr-defined]
    chosen = request.session.get(SESSION_KEY) if rows else None
    membership = next((row for row in rows if row.organization_id == chosen), rows[0] if rows else None)
    if membership is None:
        return None
    membership.user = cast(User, request.user)
    return membership.as_actor(client_ip(request))


class ActorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.memberships = SimpleLazyObject(lambda: memberships_of(request))  # type: ignore[attr-defined]
        request.actor = SimpleLazyObject(lambda: actor_of(request))  # type: ignore[attr-defined]
        return self.get_response(request)
