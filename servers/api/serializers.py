from rest_framework import serializers

from deploynix.api.schema import EXAMPLE_ID
from deploynix.api.serializers import Input, Output, Query
from servers.actions import LOG_LINES
from servers.models import PHP_VERSIONS, DatabaseType, LogName, Provider

EXAMPLE_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ7Nq3m1Kd5w8Yl2Rb6Tt0Uv4Xc9Za1Se3Df5Gh7Jk9L"
EXAMPLE_FINGERPRINT = "SHA256:Fq0X9nUoKb4n8E3mYk1Zs7VtRj2LcWpA5dHgT6QxNiM"


class ServerOutput(Output):
    id = serializers.CharField()
    name = serializers.CharField()
    provider = serializers.CharField()
    ip_address = serializers.IPAddressField()
    ssh_user = serializers.CharField(help_text="Who Deploynix signs in as once the server is provisioned.")
    region = serializers.CharField(allow_null=True)
    size = serializers.CharField(allow_null=True)
    php_version = serializers.CharField(allow_null=True)
    database_type = serializers.CharField()
    webserver = serializers.CharField()
    status = serializers.CharField(help_text="pending, provisioning, active, failed or deleting.")
    monitoring_enabled = serializers.BooleanField()
    provisioned_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    sites_count = serializers.IntegerField()
    ssh_port = serializers.IntegerField()
    login_user = serializers.CharField(help_text="Who Deploynix signs in as the first time.")
    public_key = serializers.CharField(help_text="The server's own key, which has to be authorised to sign in.")
    host_key_fingerprint = serializers.CharField(allow_null=True, help_text="Of the pinned host key.")
    refused_fingerprint = serializers.CharField(
        allow_null=True, help_text="Of another host key that the server showed, and that was refused."
    )
    operating_system = serializers.CharField(allow_null=True)
    status_reason = serializers.CharField(help_text="Why it failed, and what to do about it.")

    example = {
        "id": EXAMPLE_ID,
        "name": "web-1",
        "provider": "custom",
        "ip_address": "203.0.113.10",
        "ssh_user": "deploynix",
        "region": None,
        "size": None,
        "php_version": "8.3",
        "database_type": "mysql",
        "webserver": "nginx",
        "status": "active",
        "monitoring_enabled": True,
        "provisioned_at": "2026-04-16T10:30:00Z",
        "created_at": "2026-04-16T10:25:00Z",
        "updated_at": "2026-04-16T10:30:00Z",
        "sites_count": 2,
        "ssh_port": 22,
        "login_user": "root",
        "public_key": f"{EXAMPLE_KEY} deploynix",
        "host_key_fingerprint": EXAMPLE_FINGERPRINT,
        "refused_fingerprint": None,
        "operating_system": "Ubuntu 24.04.1 LTS",
        "status_reason": "",
    }


class ServerChanges(Input):
    name = serializers.CharField(max_length=64, required=False)
    ip_address = serializers.IPAddressField(required=False)
    ssh_port = serializers.IntegerField(min_value=1, max_value=65535, required=False)
    monitoring_enabled = serializers.BooleanField(required=False)
    login_user = serializers.CharField(
        max_length=32, required=False, help_text="Can be changed until the server is provisioned."
    )
    php_version = serializers.ChoiceField(
        choices=PHP_VERSIONS,
        required=False,
        allow_null=True,
        help_text="Null for no PHP. Can be changed until the server is provisioned.",
    )
    database_type = serializers.ChoiceField(
        choices=DatabaseType.values,
        required=False,
        help_text="Can be changed until the server is provisioned.",
    )

    example = {"name": "web-2", "monitoring_enabled": False}


class ServerInput(ServerChanges):
    name = serializers.CharField(max_length=64)
    ip_address = serializers.IPAddressField()
    provider = serializers.ChoiceField(choices=Provider.values)
    private_key = serializers.CharField(
        required=False,
        allow_null=True,
        trim_whitespace=False,
        help_text=(
            "A private key without a passphrase that lets login_user in; it is forgotten once the server is"
            " provisioned. With it, provisioning starts at once. Without it, run `authorize_command` of the answer"
            " on the server, and provision it then."
        ),
    )
    host_key = serializers.CharField(
        required=False,
        allow_null=True,
        help_text="The server's public host key. Without it, the one shown at first contact is pinned.",
    )

    example = {
        "provider": "custom",
        "name": "web-1",
        "ip_address": "203.0.113.10",
        "ssh_port": 22,
        "login_user": "root",
        "php_version": "8.3",
        "database_type": "mariadb",
        "host_key": EXAMPLE_KEY,
    }


class RestartInput(Input):
    what = serializers.CharField(help_text="reboot, or one service: nginx, php, database, redis or supervisor.")

    example = {"what": "nginx"}


class HostKeyInput(Input):
    fingerprint = serializers.CharField(help_text="As `ssh-keygen -l` shows it on the server's own console.")

    example = {"fingerprint": EXAMPLE_FINGERPRINT}


class DifferenceOutput(Output):
    path = serializers.CharField()
    action = serializers.CharField(help_text="What would mend it: create, update, delete or mode.")
    diff = serializers.CharField(allow_null=True, help_text="A unified diff; null for a file that holds a secret.")
    secret = serializers.BooleanField()


class DriftOutput(Output):
    status = serializers.CharField(help_text="in_sync, drifted, or unknown before the first comparison.")
    compared_at = serializers.DateTimeField(allow_null=True)
    differences = DifferenceOutput(many=True)

    example = {
        "status": "drifted",
        "compared_at": "2026-04-16T10:30:00Z",
        "differences": [
            {
                "path": "/etc/nginx/conf.d/deploynix.conf",
                "action": "update",
                "diff": "-server_tokens on;\n+server_tokens off;\n",
                "secret": False,
            }
        ],
    }


class DriftQuery(Query):
    fresh = serializers.BooleanField(required=False, default=False, help_text="Compares again in any case.")


class LogReadingOutput(Output):
    name = serializers.CharField()
    text = serializers.CharField(help_text="The last lines, without what is known to be secret.")
    read_at = serializers.DateTimeField(allow_null=True)

    example = {
        "name": "nginx-error",
        "text": "2026/04/16 10:29:58 [error] 812#812: *3 open() failed\n",
        "read_at": "2026-04-16T10:30:00Z",
    }


class LogReadingQuery(Query):
    name = serializers.ChoiceField(choices=LogName.values, required=False, default=LogName.NGINX_ERROR.value)
    lines = serializers.IntegerField(min_value=1, max_value=1000, required=False, default=LOG_LINES)
