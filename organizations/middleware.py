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


def membership_of(request: HttpRequest) -> Membership | None:
    """The membership in the organization that the session chose, else in the one joined first."""
    if not request.user.is_authenticated:
        return None
    user = cast(User, request.user)
    rows = list(Membership.objects.filter(user=user).select_related("organization").order_by("created_at"))
    chosen = request.session.get(SESSION_KEY)
    return next((row for row in rows if row.organization_id == chosen), rows[0] if rows else None)


def actor_of(request: HttpRequest) -> Actor | None:
    membership = membership_of(request)
    if membership is None:
        return None
    membership.user = cast(User, request.user)
    return membership.as_actor(client_ip(request))


class ActorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.actor = SimpleLazyObject(lambda: actor_of(request))  # type: ignore[attr-defined]
        return self.get_response(request)
