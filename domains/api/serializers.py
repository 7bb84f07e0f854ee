"""Applications as the API shows and takes them."""

from rest_framework import serializers

from deploynix.api.schema import EXAMPLE_ID
from deploynix.api.serializers import Input, Output
from providers.api.serializers import NewCredential


class ApplicationOutput(Output):
    id = serializers.CharField()
    name = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    example = {
        "id": EXAMPLE_ID,
        "name": "Shop",
        "created_at": "2026-04-16T10:25:00Z",
        "updated_at": "2026-04-16T10:25:00Z",
    }


class ApplicationInput(Input):
    name = serializers.CharField(max_length=100)

    example = {"name": "Shop, renewed"}


class ApplicationCredentialInput(NewCredential):
    name = serializers.CharField(
        max_length=100, required=False, help_text="That of the application and the provider, if not given."
    )

    example = {"provider": "cloudflare", "credential": "cfut_4Tn0wq8Yb2Kc7Rz1"}
