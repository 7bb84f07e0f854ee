"""What the layout of every page needs."""

from typing import Any

from django.http import HttpRequest


def navigation(request: HttpRequest) -> dict[str, Any]:
    actor = getattr(request, "actor", None)
    if not actor:
        return {"actor": None}
    return {"actor": actor, "memberships": request.memberships}  # type: ignore[attr-defined]
