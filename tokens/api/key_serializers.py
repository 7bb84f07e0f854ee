"""API keys and access tokens as the API shows and takes them."""

from typing import Any

from rest_framework import serializers

from deploynix.api.serializers import Output, Query
from tokens.api.serializers import AnyTokenInput, AnyTokenOutput, texts
from tokens.models import KEY_ID_PREFIX, Environment, RateType
from tokens.models.token import LONGEST_DESCRIPTION, SHORTEST_NAME

EXAMPLE_KEY = "dep_live_4Kf9xQ2mZr7TbW1y_8sLhVn3JdGtRcYp0XuEaMi5oBkWq6z2Fv7Hx"
EXAMPLE_ACCESS_TOKEN = "workspace_token_7Tb4Kf9xQ2mZrW1y_LhVn38sJdGtRcYp0XuEaMi5oBkWq6z2Fv7Hx"  # noqa: S105
EXAMPLE_KEY_ID = f"{KEY_ID_PREFIX}4Kf9xQ2mZr7TbW1y"
_PERMISSIONS = "All of resources (`servers:read`, `instances:*`) or all of duties (`read`, `deploy`)."
_NETWORKS = "Addresses and networks, IPv4 and IPv6. Empty lets everybody in."
_VALUE = "The text to sign in with. Shown only here, and not when the request is repeated with its Idempotency-Key."
_DURATION = "A number of hours, days or weeks: `12h`, `90d`, `2w`."


class ApiKeyOutput(AnyTokenOutput):
    description = serializers.CharField()
    permissions = texts()
    environment = serializers.ChoiceField(choices=Environment.choices)
    active = serializers.BooleanField()
    ip_whitelist = texts(help_text=_NETWORKS)
    rate_limit = serializers.ChoiceField(choices=RateType.choices)
    auto_rotate = serializers.BooleanField()
    rotation_period = serializers.CharField()
    grace_period = serializers.CharField()
    notification_email = serializers.CharField()
    rotates_at = serializers.DateTimeField(allow_null=True, help_text="When it is rotated on schedule.")
    rotated_to = serializers.CharField(allow_null=True, help_text="The key that took its place.")
    rotated_from = serializers.CharField(allow_null=True, help_text="The key whose place it took.")

    example = AnyTokenOutput.example | {
        "id": EXAMPLE_KEY_ID,
        "name": "production-key",
        "prefix": "dep_live_",
        "expires_at": "2026-12-31T23:59:59Z",
        "description": "Deploys from CI",
        "permissions": ["instances:*"],
        "environment": "live",
        "active": True,
        "ip_whitelist": ["203.0.113.0/24", "198.51.100.45", "2001:db8::/32"],
        "rate_limit": "standard",
        "auto_rotate": True,
        "rotation_period": "90d",
        "grace_period": "7d",
        "notification_email": "ops@example.com",
        "rotates_at": "2026-07-15T10:25:00Z",
        "rotated_to": None,
        "rotated_from": None,
    }


class NewApiKeyOutput(ApiKeyOutput):
    value = serializers.CharField(required=False, help_text=_VALUE)

    example = ApiKeyOutput.example | {"value": EXAMPLE_KEY}


class ApiKeyQuery(Query):
    environment = serializers.ChoiceField(choices=Environment.choices, required=False)
    active = serializers.BooleanField(required=False)


class ApiKeyChanges(AnyTokenInput):
    name = serializers.CharField(min_length=SHORTEST_NAME, max_length=255, required=False)
    description = serializers.CharField(max_length=LONGEST_DESCRIPTION, allow_blank=True, required=False)
    permissions = texts(allow_empty=False, required=False, help_text=_PERMISSIONS)
    environment = serializers.ChoiceField(
        choices=Environment.choices, required=False, help_text="What a test key does is undone. It cannot be changed."
    )
    active = serializers.BooleanField(required=False)
    ip_whitelist = texts(required=False, help_text=_NETWORKS)
    rate_limit = serializers.ChoiceField(choices=RateType.choices, required=False)
    auto_rotate = serializers.BooleanField(required=False, help_text="Needs a rotation period.")
    rotation_enabled = serializers.BooleanField(required=False, help_text="Another name of auto_rotate.")
    rotation_period = serializers.CharField(allow_blank=True, required=False, help_text=_DURATION)
    grace_period = serializers.CharField(
        required=False, help_text=f"How long the old secret works beside the new one. {_DURATION} Without it, 7d."
    )
    notification_email = serializers.EmailField(
        max_length=254,
        allow_blank=True,
        required=False,
        help_text="Gets a link to the new secret when the key is rotated on schedule; without it, the key's maker.",
    )

    example = {"permissions": ["instances:read"], "ip_whitelist": [], "active": True}

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        enabled = values.pop("rotation_enabled", None)
        if enabled is not None and values.setdefault("auto_rotate", enabled) != enabled:
            raise serializers.ValidationError({"rotation_enabled": ["It is another name of auto_rotate. Send one."]})
        return values


class ApiKeyInput(ApiKeyChanges):
    name = serializers.CharField(min_length=SHORTEST_NAME, max_length=255)
    permissions = texts(allow_empty=False, help_text=_PERMISSIONS)

    example = {
        "name": "production-key",
        "permissions": ["instances:*"],
        "ip_whitelist": ["203.0.113.0/24", "198.51.100.45", "2001:db8::/32"],
        "expires_at": "2026-12-31T23:59:59Z",
        "auto_rotate": True,
        "rotation_period": "90d",
        "notification_email": "ops@example.com",
    }


class OldKeyOutput(Output):
    id = serializers.CharField()
    expires_at = serializers.DateTimeField(help_text="Until then the old secret works, too.")


class NewKeyOutput(Output):
    id = serializers.CharField()
    value = serializers.CharField(required=False, help_text=_VALUE)
    created_at = serializers.DateTimeField()


class RotationOutput(Output):
    old_key = OldKeyOutput()
    new_key = NewKeyOutput()

    example = {
        "old_key": {"id": EXAMPLE_KEY_ID, "expires_at": "2026-04-23T10:25:00Z"},
        "new_key": {
            "id": f"{KEY_ID_PREFIX}Zr7TbW1y4Kf9xQ2m",
            "value": "dep_live_Zr7TbW1y4Kf9xQ2m_3JdGtRcYp8sLhVn0XuEaMi5oBkWq6z2Fv7Hx",
            "created_at": "2026-04-16T10:25:00Z",
        },
    }


class AccessTokenOutput(AnyTokenOutput):
    scopes = texts()
    has_passphrase = serializers.BooleanField(help_text="It opens nothing without the header X-Token-Passphrase.")

    example = AnyTokenOutput.example | {
        "name": "Deployment automation",
        "prefix": "workspace_token_",
        "public_id": "7Tb4Kf9xQ2mZrW1y",
        "scopes": ["basic_deployment"],
        "has_passphrase": True,
    }


class NewAccessTokenOutput(AccessTokenOutput):
    value = serializers.CharField(required=False, help_text=_VALUE)

    example = AccessTokenOutput.example | {"value": EXAMPLE_ACCESS_TOKEN}


class AccessTokenInput(AnyTokenInput):
    name = serializers.CharField(min_length=SHORTEST_NAME, max_length=255)
    scopes = texts(allow_empty=False, help_text="At least one.")
    passphrase = serializers.CharField(
        allow_null=True,
        required=False,
        trim_whitespace=False,
        help_text="8 to 255 characters. It is sent along in X-Token-Passphrase, and cannot be read back either.",
    )

    example = {
        "name": "Deployment automation",
        "scopes": ["basic_deployment"],
        "passphrase": "correct horse battery",
        "expires_at": "2027-04-16T00:00:00Z",
    }
