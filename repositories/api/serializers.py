"""Repositories as the API shows and takes them."""

from rest_framework import serializers

from deploynix.api.schema import EXAMPLE_ID
from deploynix.api.serializers import Input, Output, Query
from providers.api.serializers import RepositoryOutput
from repositories.models import Status


class GitRepositoryOutput(Output):
    id = serializers.CharField()
    credential_id = serializers.CharField(help_text="Of the Git provider that has it.")
    provider_id = serializers.CharField(help_text="What the provider knows it by; empty until it was read.")
    full_name = serializers.CharField()
    clone_url = serializers.CharField()
    ssh_url = serializers.CharField()
    default_branch = serializers.CharField(help_text="Empty while there is none.")
    is_private = serializers.BooleanField(allow_null=True, help_text="Null until it was read.")
    status = serializers.ChoiceField(choices=Status.choices, help_text="unread: a job is to ask the provider.")
    status_reason = serializers.CharField(help_text="Why it failed, and what to do about it.")
    read_at = serializers.DateTimeField(allow_null=True, help_text="When the provider was last asked.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    example = {
        "credential_id": EXAMPLE_ID,
        "provider_id": RepositoryOutput.example["id"],
        "status": "connected",
        "status_reason": "",
        "read_at": "2026-04-16T10:30:00Z",
        "created_at": "2026-04-16T10:25:00Z",
        "updated_at": "2026-04-16T10:25:00Z",
        **RepositoryOutput.example,
        "id": EXAMPLE_ID,
    }


class GitRepositoryQuery(Query):
    credential = serializers.CharField(
        required=False, max_length=26, help_text="Only those of the Git provider of this id."
    )


class GitRepositoryChanges(Input):
    credential_id = serializers.CharField(
        max_length=26, required=False, help_text="Of another Git provider that has the repository, too."
    )

    example = {"credential_id": EXAMPLE_ID}


class GitRepositoryInput(Input):
    credential_id = serializers.CharField(max_length=26, help_text="Of the Git provider that has the repository.")
    full_name = serializers.CharField(
        max_length=255, help_text="As `GET /git-providers/{git_provider}/repositories` tells it."
    )

    example = {"credential_id": EXAMPLE_ID, "full_name": "acme/shop"}
