"""Tokens and the people they speak for, as the API shows and takes them."""

from typing import Any

from rest_framework import serializers

from deploynix.api.schema import EXAMPLE_ID
from deploynix.api.serializers import Input, Output

EXAMPLE_TOKEN = "dnx_4Kf9xQ2mZr7TbW1y_8sLhVn3JdGtRcYp0XuEaMi5oBkWq6z2Fv7HxD"  # noqa: S105 -- opens nothing


def texts(**options: Any) -> serializers.ListField:
    return serializers.ListField(child=serializers.CharField(max_length=255), **options)


class AnyTokenOutput(Output):
    """What tokens of every kind show."""

    id = serializers.CharField()
    name = serializers.CharField()
    prefix = serializers.CharField(help_text="What its text starts with.")
    public_id = serializers.CharField(help_text="What follows the prefix; it tells tokens apart.")
    servers = texts(allow_null=True, help_text="The only servers that it sees; null for all.")
    sites = texts(allow_null=True, help_text="The only sites that it sees, besides its servers'.")
    last_used_at = serializers.DateTimeField(allow_null=True)
    last_used_ip = serializers.CharField(allow_null=True)
    use_count = serializers.IntegerField()
    expires_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()

    example = {
        "id": EXAMPLE_ID,
        "name": "CI/CD pipeline",
        "prefix": "dnx_",
        "public_id": "4Kf9xQ2mZr7TbW1y",
        "servers": None,
        "sites": None,
        "last_used_at": "2026-04-16T10:30:00Z",
        "last_used_ip": "203.0.113.10",
        "use_count": 42,
        "expires_at": None,
        "created_at": "2026-04-16T10:25:00Z",
    }


class AnyTokenInput(Input):
    """What can be said of tokens of every kind."""

    expires_at = serializers.DateTimeField(required=False, allow_null=True)
    servers = texts(
        required=False,
        allow_null=True,
        help_text="Ids of the only servers that it sees, with their sites. With neither servers nor sites it sees all.",
    )
    sites = texts(required=False, allow_null=True, help_text="Ids of the only sites that it sees.")


class TokenOutput(AnyTokenOutput):
    abilities = texts()

    example = AnyTokenOutput.example | {"abilities": ["server:read", "site:deploy", "site:read"]}


class TokenInput(AnyTokenInput):
    name = serializers.CharField(max_length=255)
    abilities = texts(
        required=False,
        allow_null=True,
        allow_empty=False,
        help_text="Without it, every ability of the token that asks. `*` stands for any: `*:read`, `site:*`.",
    )

    example = {"name": "CI/CD pipeline", "abilities": ["site:deploy"], "expires_at": "2027-04-16T00:00:00Z"}


class OrganizationOutput(Output):
    id = serializers.CharField()
    name = serializers.CharField()
    plan = serializers.CharField()


class UserOutput(Output):
    id = serializers.CharField()
    name = serializers.CharField()
    email = serializers.EmailField()
    role = serializers.CharField()
    organization = OrganizationOutput()
    abilities = texts(help_text="What this token may do now.")
    created_at = serializers.DateTimeField()

    example = {
        "id": EXAMPLE_ID,
        "name": "Ada Lovelace",
        "email": "ada@example.com",
        "role": "owner",
        "organization": {"id": "01JAZ5QHVWABCDEFGHJKMNPQRS", "name": "Analytical Engines", "plan": "enterprise"},
        "abilities": ["server:read", "site:deploy", "site:read"],
        "created_at": "2026-04-16T10:25:00Z",
    }


class LoginInput(Input):
    email = serializers.EmailField()
    password = serializers.CharField(trim_whitespace=False)
    abilities = texts(
        required=False, allow_null=True, allow_empty=False, help_text="Without it, every ability of your role."
    )
    organization = serializers.CharField(required=False, help_text="Its id or name; without it, the one joined first.")
    otp = serializers.CharField(
        required=False, help_text="A code of the authenticator app or a recovery code, where a second factor is set up."
    )

    example = {
        "email": "you@example.com",
        "password": "your-password",
        "abilities": ["server:read", "site:read", "site:deploy"],
    }


class RegisterInput(Input):
    name = serializers.CharField(max_length=255)
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(trim_whitespace=False)
    password_confirmation = serializers.CharField(trim_whitespace=False, required=False)
    organization = serializers.CharField(max_length=255)

    example = {
        "name": "Ada Lovelace",
        "email": "ada@example.com",
        "password": "a long sentence of yours",
        "organization": "Analytical Engines",
    }

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if values.pop("password_confirmation", values["password"]) != values["password"]:
            raise serializers.ValidationError({"password": ["The password field confirmation does not match."]})
        return values
