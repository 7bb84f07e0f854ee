"""Whether a token works: the smallest request that there is."""

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest
from rest_framework import serializers

from deploynix.api.operations import operation
from deploynix.api.permissions import ANY_TOKEN
from deploynix.api.rates import Spent
from deploynix.api.serializers import Output
from deploynix.api.views import Response, View


class RateLimitOutput(Output):
    limit = serializers.IntegerField(help_text="Requests an hour where the token has such a limit, else a minute.")
    remaining = serializers.IntegerField()
    reset = serializers.DateTimeField(help_text="When all of them are back.")


class AuthTestOutput(Output):
    authenticated = serializers.BooleanField()
    key_id = serializers.CharField()
    permissions = serializers.ListField(child=serializers.CharField(), help_text="As they were granted.")
    rate_limit = RateLimitOutput(allow_null=True, help_text="null where the token has no limit.")

    example = {
        "authenticated": True,
        "key_id": "key_4Kf9xQ2mZr7TbW1y",
        "permissions": ["servers:read", "instances:*"],
        "rate_limit": {"limit": 1000, "remaining": 999, "reset": "2026-04-16T11:25:00Z"},
    }


class AuthTest(View):
    abilities = {"GET": ANY_TOKEN}
    tag = "Account"

    @operation("Test a token", bare=AuthTestOutput)
    def get(self, request: HttpRequest) -> Response:
        """Which token this is, what it was granted, and what is left of its rate limit after this request."""
        return Response(
            {
                "authenticated": True,
                "key_id": self.actor.key_id,
                "permissions": self.actor.grants,
                "rate_limit": _rate_limit(self.spent),
            }
        )


def _rate_limit(spent: Spent | None) -> dict[str, Any] | None:
    if spent is None:
        return None
    reset = datetime.fromtimestamp(spent.reset_at, UTC)
    return {"limit": spent.limit, "remaining": spent.remaining, "reset": reset}
