"""Projects, sites, releases and environment variables as the API shows and takes them."""

from typing import Any

from rest_framework import serializers

from deploynix.api.schema import EXAMPLE_ID
from deploynix.api.serializers import Input, Output, Query
from servers.models import PHP_VERSIONS
from sites.models import DeploymentKind, Status, Type

EXAMPLE_COMMIT = "6dcb09b5b57875f334f61aebed695e2e4193db5e"
EXAMPLE_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ7Nq3m1Kd5w8Yl2Rb6Tt0Uv4Xc9Za1Se3Df5Gh7Jk9L deploynix"


def texts(help_text: str, **options: Any) -> serializers.ListField:
    return serializers.ListField(child=serializers.CharField(max_length=255), help_text=help_text, **options)


class SiteOutput(Output):
    id = serializers.CharField()
    server_id = serializers.CharField()
    project_id = serializers.CharField(allow_null=True)
    domain = serializers.CharField()
    aliases = texts("Other names that the site answers to; `*.example.com` for all below one.")
    type = serializers.ChoiceField(choices=Type.choices)
    status = serializers.ChoiceField(choices=Status.choices)
    status_reason = serializers.CharField(help_text="Why it failed.")
    repository_url = serializers.CharField()
    branch = serializers.CharField()
    web_root = serializers.CharField()
    shared_folders = texts("Folders of the repository that all releases share.")
    build_commands = serializers.CharField()
    health_path = serializers.CharField()
    php_version = serializers.CharField(help_text="Empty for a static site.")
    is_zero_downtime = serializers.BooleanField()
    is_https_forced = serializers.BooleanField(
        help_text="Whether visitors are sent to HTTPS where the server serves a certificate for the name."
    )
    username = serializers.CharField(help_text="The site's own Linux user; its files are in /srv/<username>.")
    deploy_public_key = serializers.CharField(help_text="What a private repository has to know as a deploy key.")
    repository_host_key = serializers.CharField(help_text="Pinned when the repository is first fetched over SSH.")
    current_release_id = serializers.CharField(allow_null=True)
    current_commit = serializers.CharField(allow_null=True)
    last_deployment_id = serializers.CharField(allow_null=True)
    last_deployment_kind = serializers.ChoiceField(choices=DeploymentKind.choices, allow_null=True)
    last_deployment_status = serializers.CharField(
        allow_null=True, help_text="queued, running, succeeded, failed or cancelled."
    )
    last_deployment_at = serializers.DateTimeField(allow_null=True)
    scheduled_deploy_at = serializers.DateTimeField(allow_null=True, help_text="When the next deployment begins.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    example = {
        "id": EXAMPLE_ID,
        "server_id": EXAMPLE_ID,
        "project_id": EXAMPLE_ID,
        "domain": "shop.example.com",
        "aliases": ["www.shop.example.com"],
        "type": "php",
        "status": "active",
        "status_reason": "",
        "repository_url": "git@github.com:acme/shop.git",
        "branch": "main",
        "web_root": "public",
        "shared_folders": ["storage"],
        "build_commands": "composer install --no-dev",
        "health_path": "/up",
        "php_version": "8.3",
        "is_zero_downtime": True,
        "is_https_forced": True,
        "username": "s-shop-example-com-x4kd",
        "deploy_public_key": EXAMPLE_KEY,
        "repository_host_key": "",
        "current_release_id": EXAMPLE_ID,
        "current_commit": EXAMPLE_COMMIT,
        "last_deployment_id": EXAMPLE_ID,
        "last_deployment_kind": "deploy",
        "last_deployment_status": "succeeded",
        "last_deployment_at": "2026-04-16T10:30:00Z",
        "scheduled_deploy_at": None,
        "created_at": "2026-04-16T10:25:00Z",
        "updated_at": "2026-04-16T10:30:00Z",
    }


class SiteChanges(Input):
    domain = serializers.CharField(max_length=253, required=False)
    aliases = texts("Other names that the site answers to; `*.example.com` for all below one.", required=False)
    type = serializers.ChoiceField(choices=Type.choices, required=False)
    repository_url = serializers.CharField(
        max_length=500, required=False, help_text="https://, git://, ssh:// or git@host:path, without credentials."
    )
    branch = serializers.CharField(max_length=255, required=False)
    web_root = serializers.CharField(
        max_length=255, required=False, allow_blank=True, help_text="The folder of the repository that is served."
    )
    shared_folders = texts("Folders of the repository that all releases share.", required=False)
    build_commands = serializers.CharField(
        required=False, allow_blank=True, help_text="One a line; the first that fails stops the deploy."
    )
    health_path = serializers.CharField(
        max_length=255, required=False, help_text="Must answer with a status below 400 before a release goes live."
    )
    php_version = serializers.ChoiceField(choices=PHP_VERSIONS, required=False, allow_blank=True)
    is_zero_downtime = serializers.BooleanField(required=False)
    is_https_forced = serializers.BooleanField(
        required=False, help_text="Whether visitors are sent to HTTPS once the server serves a certificate; it is so."
    )
    project_id = serializers.CharField(
        max_length=26, required=False, allow_null=True, help_text="Null for none. A change needs project:update, too."
    )

    example = {"branch": "production", "health_path": "/up"}


class SiteInput(SiteChanges):
    domain = serializers.CharField(max_length=253)
    repository_url = serializers.CharField(
        max_length=500, help_text="https://, git://, ssh:// or git@host:path, without credentials."
    )

    example = {
        "domain": "shop.example.com",
        "type": "php",
        "repository_url": "git@github.com:acme/shop.git",
        "branch": "main",
        "web_root": "public",
        "build_commands": "composer install --no-dev",
    }


class InstanceInput(SiteInput):
    server_id = serializers.CharField(max_length=26)

    example = {"server_id": EXAMPLE_ID, **SiteInput.example}


class SiteQuery(Query):
    project = serializers.CharField(
        required=False, max_length=26, help_text="Only the sites of the project of this id."
    )


class DeployKeyInput(Input):
    site_id = serializers.CharField(max_length=26, help_text="The site that is to read the repository.")

    example = {"site_id": EXAMPLE_ID}


class DeployInput(Input):
    ref = serializers.CharField(
        max_length=255, required=False, help_text="A branch, tag or commit; the site's branch where it is missing."
    )

    example = {"ref": "v1.4.2"}


class ScheduleInput(Input):
    scheduled_at = serializers.DateTimeField(
        help_text="In the future, at most a year ahead; ISO 8601, in UTC where it has no offset."
    )
    ref = serializers.CharField(
        max_length=255,
        required=False,
        help_text="A branch, tag or commit; where it is missing, the branch that the site has by then.",
    )

    example = {"scheduled_at": "2026-04-17T03:00:00Z", "ref": "v1.4.2"}


class RollbackInput(Input):
    release_id = serializers.CharField(
        max_length=26, required=False, help_text="The one before the current one where it is missing."
    )

    example = {"release_id": EXAMPLE_ID}


class DeleteQuery(Query):
    force = serializers.BooleanField(
        required=False, default=False, help_text="Forgets the site at once, for a server that is gone."
    )


class ProjectOutput(Output):
    id = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    sites_count = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    example = {
        "id": EXAMPLE_ID,
        "name": "Web shop",
        "description": "The shop and what belongs to it",
        "sites_count": 2,
        "created_at": "2026-04-16T10:25:00Z",
        "updated_at": "2026-04-16T10:30:00Z",
    }


class ProjectInput(Input):
    name = serializers.CharField(max_length=255)
    description = serializers.CharField(max_length=1000, required=False, allow_blank=True)

    example = {"name": "Web shop", "description": "The shop and what belongs to it"}


class ProjectChanges(ProjectInput):
    name = serializers.CharField(max_length=255, required=False)
    site_ids = serializers.ListField(
        child=serializers.CharField(max_length=26),
        required=False,
        help_text="The sites that belong to it from now on: those that do already and are missing here are taken out.",
    )

    example = {"name": "Web shop", "site_ids": [EXAMPLE_ID]}


class ReleaseOutput(Output):
    id = serializers.CharField()
    commit = serializers.CharField()
    message = serializers.CharField()
    author = serializers.CharField()
    is_current = serializers.BooleanField()
    is_on_server = serializers.BooleanField(help_text="Whether it can be rolled back to.")
    created_at = serializers.DateTimeField()
    activated_at = serializers.DateTimeField()

    example = {
        "id": EXAMPLE_ID,
        "commit": EXAMPLE_COMMIT,
        "message": "Mend the cart",
        "author": "Ada",
        "is_current": True,
        "is_on_server": True,
        "created_at": "2026-04-16T10:29:00Z",
        "activated_at": "2026-04-16T10:30:00Z",
    }


class VariableOutput(Output):
    id = serializers.CharField()
    name = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    example = {
        "id": EXAMPLE_ID,
        "name": "APP_KEY",
        "created_at": "2026-04-16T10:25:00Z",
        "updated_at": "2026-04-16T10:30:00Z",
    }


class VariableChanges(Input):
    value = serializers.CharField(trim_whitespace=False, allow_blank=True)

    example = {"value": "a new value"}


class VariableInput(VariableChanges):
    name = serializers.CharField(max_length=128)

    example = {"name": "APP_KEY", "value": "a value"}


class RevealQuery(Query):
    reveal = serializers.BooleanField(
        required=False, default=False, help_text="Adds the value; needs the ability env:reveal, and is audited."
    )
