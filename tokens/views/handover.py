"""The page behind the link to a new secret."""

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from deploynix.actor import Actor
from deploynix.client import client_ip
from deploynix.errors import Denied
from organizations.models import Membership
from organizations.pages import SignedInMixin
from tokens.actions import collect_secret, find_handover
from tokens.models import Handover
from tokens.views.secret import keep_secret, take_secret


@method_decorator(never_cache, name="dispatch")
class HandoverView(SignedInMixin):
    """For members of the key's organization who may change keys, whichever organization they have open.

    Looking at it uses nothing up, for programs that scan mail open links, too: only the button does.
    """

    def get(self, request: HttpRequest, secret: str) -> HttpResponse:
        shown = take_secret(request)
        if shown:
            return render(request, "tokens/handover.html", shown)
        handover = find_handover(secret)
        self.actor_for(handover).require("token:update")
        return render(request, "tokens/handover.html", {"handover": handover, "key": handover.token})

    def post(self, request: HttpRequest, secret: str) -> HttpResponse:
        handover = find_handover(secret)
        keep_secret(request, collect_secret(self.actor_for(handover), handover=handover))
        return redirect(request.path)

    def actor_for(self, handover: Handover) -> Actor:
        """Raises Denied for whoever is no member."""
        memberships = cast(list[Membership], self.request.memberships)  # type: ignore[attr-defined]
        for membership in memberships:
            if membership.organization_id == handover.token.organization_id:
                membership.user = self.user
                return membership.as_actor(client_ip(self.request))
        raise Denied("token:update", "You do not belong to this key's organization.", "Sign in as somebody who does.")
