"""Every API view declares, per method, the ability it needs."""

from typing import Any, cast

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from deploynix.actor import Actor

# For `abilities`: any valid token will do; or no token at all.
ANY_TOKEN = "any token"  # noqa: S105 -- not a password
PUBLIC = "public"


class HasAbility(BasePermission):
    """Lets a request pass whose actor carries what the view declares in `abilities`, a dict by method.

    A method without a declaration is a fault of ours and is refused.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        ability = view.abilities[request.method]
        if ability == PUBLIC:
            return True
        actor = cast("Actor | None", request.auth)
        if actor is None:
            return False
        if ability != ANY_TOKEN:
            actor.require(ability)
        return True
