from rest_framework import serializers

from deploynix.api.schema import EXAMPLE_ID
from deploynix.api.serializers import Input, Output
from servers.models import LONGEST_NAME, LONGEST_PASSWORD, SHORTEST_PASSWORD, Privileges

PASSWORD = "vR2-q8ZkT_w4Yx7mJc9LhB3nD6fGs5Pa"  # noqa: S105 -- an example
_PASSWORD_HELP = f"{SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters. Without it one is made up."


class DatabaseOutput(Output):
    id = serializers.CharField()
    server_id = serializers.CharField()
    name = serializers.CharField()
    status = serializers.CharField(
        help_text="creating, active, failed, deleting, or missing where the server has it no more."
    )
    status_reason = serializers.CharField(help_text="Why it failed, and what to do about it.")
    is_found = serializers.BooleanField(help_text="It was not made by Deploynix, but was on the server.")
    size = serializers.IntegerField(allow_null=True, help_text="In bytes, as it was at `read_at`.")
    read_at = serializers.DateTimeField(allow_null=True)
    users_count = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    example = {
        "id": EXAMPLE_ID,
        "server_id": EXAMPLE_ID,
        "name": "shop",
        "status": "active",
        "status_reason": "",
        "is_found": False,
        "size": 48_234_496,
        "read_at": "2026-04-16T10:31:00Z",
        "users_count": 1,
        "created_at": "2026-04-16T10:30:00Z",
        "updated_at": "2026-04-16T10:30:04Z",
    }


class DatabaseUserOutput(Output):
    id = serializers.CharField()
    name = serializers.CharField()
    privileges = serializers.ChoiceField(choices=Privileges.values)
    status = serializers.CharField(help_text="pending, active, failed or removing: whether the server knows it.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    example = {
        "id": EXAMPLE_ID,
        "name": "shop",
        "privileges": "all",
        "status": "active",
        "created_at": "2026-04-16T10:30:00Z",
        "updated_at": "2026-04-16T10:30:04Z",
    }


class PrivilegesInput(Input):
    privileges = serializers.ChoiceField(
        choices=Privileges.values,
        help_text="`all`, or `read_only` for reading whatever is there and will be there.",
    )

    example = {"privileges": "read_only"}


class PasswordInput(Input):
    password = serializers.CharField(
        max_length=LONGEST_PASSWORD, required=False, trim_whitespace=False, help_text=_PASSWORD_HELP
    )

    example = {"password": PASSWORD}


class DatabaseUserInput(PasswordInput):
    name = serializers.CharField(
        max_length=32, help_text="Of a new user, or of one that the server has for its other databases."
    )
    privileges = serializers.ChoiceField(choices=Privileges.values, required=False, default=Privileges.ALL)

    example = {"name": "reports", "privileges": "read_only"}


class DatabaseInput(PasswordInput):
    name = serializers.CharField(max_length=LONGEST_NAME, help_text="Letters, digits, underscores and dashes.")
    user = serializers.CharField(max_length=32, required=False, help_text="Who is let in, as `name` of a user.")
    privileges = serializers.ChoiceField(choices=Privileges.values, required=False, default=Privileges.ALL)

    example = {"name": "shop_test", "user": "shop_test"}
