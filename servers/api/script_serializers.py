"""Automation scripts and their runs as the API shows and takes them."""

from rest_framework import serializers

from deploynix.api.schema import EXAMPLE_ID
from deploynix.api.serializers import Input, JobAddressOutput, Output
from servers.actions.scripts import MOST_SERVERS
from servers.models import MOST_SCRIPT_SECONDS, RunAs

EXAMPLE_SHA256 = "b8d0ddf3cc3bf2f1a7e5d94c7a5b4c3f7de2f1a6c4f6a3e0b9d8c7b6a5f4e3d2"
_PARAMETERS = [
    {"name": "CHANNEL", "label": "Release channel", "default": "stable", "required": False, "secret": False},
    {"name": "API_TOKEN", "label": "Token of the monitoring", "default": "", "required": True, "secret": True},
]
_SCRIPT = {
    "id": EXAMPLE_ID,
    "name": "Install the agent",
    "description": "Installs the monitoring agent, or brings it up to date.",
    "parameters": _PARAMETERS,
    "run_as": "root",
    "timeout": 600,
    "created_at": "2026-04-16T10:25:00Z",
    "updated_at": "2026-04-16T10:30:00Z",
}
_BODY = 'install-agent --channel "$CHANNEL"\n'
_RUN = {
    "id": "01JAZ5R0K7P1V3D5S7X9N1Z3RB",
    "script_id": EXAMPLE_ID,
    "script_name": "Install the agent",
    "server_id": "01JAZ5QJ4B6C8D0E2F4G6H8J0K",
    "server_name": "web-1",
    "job_id": JobAddressOutput.example["id"],
    "status": "succeeded",
    "exit_code": 0,
    "parameters": {"CHANNEL": "stable", "API_TOKEN": None},
    "run_as": "root",
    "timeout": 600,
    "body_sha256": EXAMPLE_SHA256,
    "requested_by": "ada@example.com",
    "created_at": "2026-04-16T10:30:00Z",
    "started_at": "2026-04-16T10:30:01Z",
    "finished_at": "2026-04-16T10:30:09Z",
}


class ParameterOutput(Output):
    name = serializers.CharField(help_text="The environment variable in which the script finds the value.")
    label = serializers.CharField()  # type: ignore[assignment]  # shadows the field's own label on purpose
    default = serializers.CharField()
    required = serializers.BooleanField()  # type: ignore[assignment]  # the same
    secret = serializers.BooleanField(help_text="Its value is not shown, and taken out of the log.")


class ScriptOutput(Output):
    id = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    parameters = ParameterOutput(many=True)
    run_as = serializers.CharField(help_text="root or deploynix.")
    timeout = serializers.IntegerField(help_text="Seconds after which a run is stopped.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    example = _SCRIPT


class ScriptWithBody(ScriptOutput):
    body = serializers.CharField()

    example = _SCRIPT | {"body": _BODY}


class ParameterInput(Input):
    name = serializers.CharField(
        max_length=64, help_text="The environment variable in which the script finds the value, in capitals."
    )
    label = serializers.CharField(max_length=100, allow_blank=True, default="")  # type: ignore[assignment]
    default = serializers.CharField(
        allow_blank=True, trim_whitespace=False, default="", help_text="What is taken where no value is given."
    )
    required = serializers.BooleanField(default=False)  # type: ignore[assignment]
    secret = serializers.BooleanField(default=False, help_text="Then it may have no default.")


class ScriptChanges(Input):
    name = serializers.CharField(max_length=100, required=False)
    description = serializers.CharField(max_length=1000, allow_blank=True, required=False)
    body = serializers.CharField(
        trim_whitespace=False,
        required=False,
        help_text="What bash runs, at most 64 KiB. Everybody who sees scripts can read it: it should hold no secret.",
    )
    parameters = serializers.ListField(child=ParameterInput(), required=False)
    run_as = serializers.ChoiceField(choices=RunAs.values, required=False, help_text="root, if it is not given.")
    timeout = serializers.IntegerField(
        min_value=1,
        max_value=MOST_SCRIPT_SECONDS,
        required=False,
        help_text="Seconds after which a run is stopped; 600, if it is not given.",
    )

    example = {"description": "Brings the agent up to date.", "timeout": 900}


class ScriptInput(ScriptChanges):
    name = serializers.CharField(max_length=100)
    body = serializers.CharField(
        trim_whitespace=False,
        help_text="What bash runs, at most 64 KiB. Everybody who sees scripts can read it: it should hold no secret.",
    )

    example = {"name": "Install the agent", "body": _BODY, "parameters": _PARAMETERS}


class RunInput(Input):
    servers = serializers.ListField(
        child=serializers.CharField(max_length=26), help_text=f"Ids of at most {MOST_SERVERS} servers."
    )
    parameters = serializers.DictField(
        child=serializers.CharField(allow_blank=True, trim_whitespace=False),
        required=False,
        help_text="Values by name. A parameter that is left out has its default.",
    )

    example = {
        "servers": [_RUN["server_id"]],
        "parameters": {"CHANNEL": "stable", "API_TOKEN": "mk_4f9a0c7de1b2"},
    }


class ScriptRunOutput(Output):
    id = serializers.CharField()
    script_id = serializers.CharField(allow_null=True, help_text="Null once the script has been removed.")
    script_name = serializers.CharField()
    server_id = serializers.CharField()
    server_name = serializers.CharField()
    job_id = serializers.CharField()
    status = serializers.CharField(help_text="That of its job: queued, running, succeeded, failed or cancelled.")
    exit_code = serializers.IntegerField(allow_null=True, help_text="Null where the script did not get to an end.")
    parameters = serializers.DictField(
        child=serializers.CharField(allow_null=True), help_text="The values; null for a secret one."
    )
    run_as = serializers.CharField()
    timeout = serializers.IntegerField()
    body_sha256 = serializers.CharField(help_text="Of the body that was run.")
    requested_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)

    example = _RUN


class ScriptRunWithBody(ScriptRunOutput):
    body = serializers.CharField(help_text="What was run: the script may have changed since.")

    example = _RUN | {"body": _BODY}


class QueuedRunOutput(ScriptRunOutput):
    job = JobAddressOutput()

    example = {
        **_RUN,
        "status": "queued",
        "exit_code": None,
        "started_at": None,
        "finished_at": None,
        "job": JobAddressOutput.example,
    }
