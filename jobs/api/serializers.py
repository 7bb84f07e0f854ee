"""Jobs as the API shows them."""

from rest_framework import serializers

from deploynix.api.serializers import Output, Query
from jobs.models import Job, Status

_JOB = {
    "id": "01J9Z3KQ5W8V0N2M4P6R8T0VXY",
    "kind": "deploy_site",
    "label": "Deploy example.com",
    "status": "running",
    "progress": 40,
    "subject_type": "site",
    "subject_id": "01J9Z3K0B2C4D6E8F0G2H4J6K8",
    "attempt": 1,
    "worker": "deploynix-1:4242",
    "result": {"changes": 0},
    "error": "",
    "hint": "",
    "actor": "ada@example.com",
    "created_at": "2026-04-16T10:30:00Z",
    "run_after": "2026-04-16T10:30:00Z",
    "started_at": "2026-04-16T10:30:01Z",
    "finished_at": None,
    "cancel_requested_at": None,
}
_STEP = {
    "name": "build",
    "label": "Build",
    "status": "running",
    "started_at": "2026-04-16T10:30:01Z",
    "finished_at": None,
}


class JobOutput(Output):
    id = serializers.CharField()
    kind = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # shadows the field's own label on purpose
    status = serializers.ChoiceField(choices=Status.choices)
    progress = serializers.IntegerField(help_text="Percent, from 0 to 100.")
    subject_type = serializers.CharField()
    subject_id = serializers.CharField()
    attempt = serializers.IntegerField(help_text="How often a worker took the job.")
    worker = serializers.CharField(help_text="The host and process that took it last.")
    result = serializers.JSONField(help_text="What the job found out or made; its keys depend on the kind.")
    error = serializers.CharField(help_text="Why the job failed; empty where it did not.")
    hint = serializers.CharField(help_text="What to do about the error.")
    actor = serializers.CharField(help_text="Who started it.")
    created_at = serializers.DateTimeField()
    run_after = serializers.DateTimeField(help_text="When it may start at the earliest.")
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    cancel_requested_at = serializers.DateTimeField(allow_null=True)

    example = _JOB


class StepOutput(Output):
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # shadows the field's own label on purpose
    status = serializers.ChoiceField(choices=Status.choices)
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class JobWithSteps(JobOutput):
    """Documents the answer for one job; its steps are rows of their own."""

    steps = StepOutput(many=True)

    example = _JOB | {"steps": [_STEP]}


class LogOutput(Output):
    text = serializers.CharField()
    next = serializers.IntegerField(help_text="What to send as `after` next time: characters from the log's start.")
    ended = serializers.BooleanField(help_text="Whether this was the last of it.")

    example = {"text": "==> Build\n", "next": 10, "ended": False}


class JobQuery(Query):
    status = serializers.ChoiceField(choices=Status.choices, required=False)
    kind = serializers.CharField(
        required=False, max_length=Job._meta.get_field("kind").max_length, help_text="Such as deploy_site."
    )
    subject_type = serializers.CharField(required=False, max_length=Job._meta.get_field("subject_type").max_length)
    subject_id = serializers.CharField(required=False, max_length=26)


class LogQuery(Query):
    ignored = frozenset()
    after = serializers.IntegerField(min_value=0, max_value=2**53, default=0)
