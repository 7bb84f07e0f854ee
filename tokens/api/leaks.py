"""Reports of tokens that were found where they should not be."""

from typing import Any

from django.http import HttpRequest
from rest_framework import serializers

from deploynix.api.operations import operation
from deploynix.api.permissions import PUBLIC
from deploynix.api.serializers import Input
from deploynix.api.throttling import LEAK
from deploynix.api.views import Response, View
from deploynix.client import client_ip
from tokens.actions import report_leak
from tokens.api.serializers import EXAMPLE_TOKEN

MOST_TOKENS = 100
THANKS = "Thank you. A token that works is revoked by now, and its people are told."


class LeakInput(Input):
    token = serializers.CharField(required=False, max_length=255, help_text="The whole text of the token.")
    tokens = serializers.ListField(
        child=serializers.CharField(max_length=255), required=False, max_length=MOST_TOKENS, help_text="Or several."
    )
    url = serializers.CharField(required=False, allow_blank=True, max_length=2000, help_text="Where it was found.")

    example = {"token": EXAMPLE_TOKEN, "url": "https://git.example/acme/shop/blob/main/.env"}

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if not values.get("token") and not values.get("tokens"):
            raise serializers.ValidationError({"token": ["The token field is required."]})
        return values


class LeakedTokens(View):
    abilities = {"POST": PUBLIC}
    tag = "Tokens"
    limits = {"POST": (LEAK,)}
    # The body holds secrets, of which nothing is to be kept; a repeated report changes nothing.
    idempotent = False

    @operation("Report a leaked token", input=LeakInput, status=202, message=THANKS)
    def post(self, request: HttpRequest) -> Response:
        """For whoever finds a token of any kind, secret scanners included. One that works is revoked at once, and its
        maker and the owners of the organization get a mail. The answer does not tell whether there was one."""
        report = self.input(LeakInput)
        texts = [*report.get("tokens", []), *filter(None, [report.get("token")])]
        report_leak(texts=texts, place=report.get("url", ""), ip=client_ip(request))
        return Response({"message": THANKS}, 202)
