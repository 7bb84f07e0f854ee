"""What may be done with automation scripts, by whom, and what a run leaves behind."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from audit.models import AuditEvent
from deploynix.actor import Actor, Resources
from deploynix.errors import Conflict, Denied, Error, Invalid
from deploynix.redact import secrets_of
from jobs.actions import cancel_job
from jobs.models import Job
from jobs.runner import claim
from servers import actions
from servers.actions.scripts import digest_of
from servers.kinds import scripts as kind
from servers.models import AutomationScript, ScriptRun, Server, Status
from tests import factories

BODY = 'echo "$GREETING"\n'
PARAMETERS = [
    {"name": "GREETING", "label": "What to say", "default": "hello"},
    {"name": "TARGET", "required": True},
    {"name": "API_TOKEN", "secret": True},
]
SECRET = "canary-4711"


def create(actor: Actor, **values: Any) -> AutomationScript:
    return actions.create_script(actor, **{"name": "Greet", "body": BODY, "parameters": PARAMETERS} | values)


def ready(actor: Actor, **fields: Any) -> Server:
    return factories.server(actor.organization, **{"provisioned_at": timezone.now()} | fields)


def run(actor: Actor, script: AutomationScript, *servers: Server, **values: str) -> list[ScriptRun]:
    given = {"TARGET": "world", **values}
    return actions.run_script(actor, script=script, servers=[server.pk for server in servers], parameters=given)


def refused(work: Any) -> dict[str, list[str]]:
    """The errors by field; nothing may have been queued."""
    with pytest.raises((Invalid, ValidationError)) as caught:
        work()
    assert not Job.objects.exists()
    assert not ScriptRun.objects.exists()
    error = caught.value
    return error.message_dict if isinstance(error, ValidationError) else getattr(error, "errors", {})


def test_a_script_is_stored_with_its_parameters(owner: Actor) -> None:
    script = create(owner, body="#!/bin/bash\r\necho one\r\n", run_as="deploynix", timeout=30)
    script.refresh_from_db()
    assert (script.body, script.run_as, script.timeout) == ("#!/bin/bash\necho one\n", "deploynix", 30)
    assert [parameter.name for parameter in script.declared] == ["GREETING", "TARGET", "API_TOKEN"]
    event = AuditEvent.objects.get(event="script.created")
    assert (event.target, event.target_label) == ("Greet", "Automation script")
    assert event.changes == {"body": [None, digest_of(script.body)]}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "two\nlines"),
        ("name", "x" * 101),
        ("description", "x" * 1001),
        ("body", ""),
        ("body", "echo \0"),
        ("body", "é" * 32_769),
        ("run_as", "nobody"),
        ("timeout", 0),
        ("timeout", 86_401),
        ("parameters", [{"name": f"P{number}"} for number in range(31)]),
        ("parameters.0.name", [{"name": "lower"}]),
        ("parameters.0.name", [{"name": "A-B"}]),
        ("parameters.0.name", [{"name": "A\n"}]),
        ("parameters.0.name", [{"name": "1A"}]),
        ("parameters.0.name", [{"name": "PATH"}]),
        ("parameters.0.name", [{"name": "LD_PRELOAD"}]),
        ("parameters.0.name", [{"name": "BASH_ENV"}]),
        ("parameters.1.name", [{"name": "A"}, {"name": "A"}]),
        ("parameters.0.label", [{"name": "A", "label": "x" * 101}]),
        ("parameters.0.default", [{"name": "A", "default": "in the open", "secret": True}]),
        ("parameters.0.default", [{"name": "A", "default": "x" * 32_769}]),
        ("parameters.0.default", [{"name": "A", "default": "\0"}]),
    ],
)
def test_bad_values_change_nothing(owner: Actor, field: str, value: object) -> None:
    assert list(refused(lambda: create(owner, **{field.partition(".")[0]: value}))) == [field]
    assert not AutomationScript.objects.exists()
    script = create(owner)
    refused(lambda: actions.update_script(owner, script=script, **{field.partition(".")[0]: value}))
    assert AutomationScript.objects.values("name", "body", "parameters", "timeout").get() == {
        "name": "Greet",
        "body": BODY,
        "parameters": PARAMETERS,
        "timeout": 600,
    }


def test_names_are_taken_once_in_an_organization(owner: Actor, outsider: Actor) -> None:
    create(owner)
    other = create(owner, name="Other")
    taken = {"name": ["The name has already been taken."]}
    assert refused(lambda: create(owner)) == taken
    assert refused(lambda: actions.update_script(owner, script=other, name="Greet")) == taken
    create(outsider)


def test_update_says_what_changed(owner: Actor) -> None:
    script = create(owner)
    changed = actions.update_script(owner, script=script, name="Welcome", body="true\n", timeout=600)
    assert (changed.name, changed.body, changed.parameters) == ("Welcome", "true\n", PARAMETERS)
    changes = AuditEvent.objects.get(event="script.updated").changes
    assert changes == {"name": ["Greet", "Welcome"], "body": [digest_of(BODY), digest_of("true\n")]}
    actions.update_script(owner, script=script, name="Welcome")
    assert AuditEvent.objects.filter(event="script.updated").count() == 1


def test_a_viewer_may_only_look(owner: Actor, member: Actor) -> None:
    script, server = create(owner), ready(owner)
    for ability, work in (
        ("script:create", lambda: create(member, name="Mine")),
        ("script:update", lambda: actions.update_script(member, script=script, name="x")),
        ("script:delete", lambda: actions.delete_script(member, script=script)),
        ("script:run", lambda: run(member, script, server)),
    ):
        with pytest.raises(Denied, match=ability):
            work()
    assert list(AutomationScript.objects.values_list("name", flat=True)) == ["Greet"]
    assert not Job.objects.exists()


def test_each_server_gets_a_job_and_keeps_what_was_run(owner: Actor) -> None:
    script, servers = create(owner, timeout=90), [ready(owner), ready(owner)]
    runs = run(owner, script, *servers, API_TOKEN=SECRET)
    assert [one.server for one in runs] == servers
    for one, server in zip(runs, servers, strict=True):
        one.refresh_from_db()
        assert (one.body, one.body_sha256, one.run_as, one.timeout) == (BODY, digest_of(BODY), "root", 90)
        assert one.values == {"GREETING": "hello", "TARGET": "world", "API_TOKEN": SECRET}
        assert (one.job.kind, one.job.subject_id, one.job.label) == ("run_script", server.pk, f"Run Greet on {server}")
    changes = AuditEvent.objects.filter(event="script.run").order_by("id").values_list("changes", flat=True)
    assert [change["server"] for change in changes] == [[None, server.name] for server in servers]


def test_only_the_same_script_on_the_same_server_waits(owner: Actor) -> None:
    script, other, server = create(owner), create(owner, name="Other"), ready(owner)
    (first,) = run(owner, script, server)
    (again,) = run(owner, script, server)
    (elsewhere,) = run(owner, script, ready(owner))
    (beside,) = run(owner, other, server)
    reboot = actions.restart_server(owner, server=server, what="reboot")
    assert claim(first.job_id)
    assert claim(again.job_id) is None
    for job_id in (elsewhere.job_id, beside.job_id, reboot.pk):
        assert claim(job_id)


def test_a_run_needs_servers_that_are_there_and_ready(owner: Actor, outsider: Actor) -> None:
    script, server, foreign = create(owner), ready(owner), ready(outsider)
    fresh = factories.server(owner.organization, status=Status.PENDING)
    leaving = ready(owner, status=Status.DELETING)
    invalid = ["The selected server is invalid."]
    assert refused(lambda: run(owner, script, server, foreign)) == {"servers.1": invalid}
    assert set(refused(lambda: run(owner, script, fresh, server, leaving))) == {"servers.0", "servers.2"}
    assert "twice" in refused(lambda: run(owner, script, server, server))["servers.1"][0]
    assert set(refused(lambda: run(owner, script))) == {"servers"}
    assert "50" in refused(lambda: run(owner, script, *[server] * 51))["servers"][0]


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("UNKNOWN", "x", "no parameter UNKNOWN"),
        ("TARGET", "", "is required"),
        ("TARGET", "\0", "NUL"),
        ("TARGET", "x" * 32_769, "32 KiB"),
        ("API_TOKEN", "short", "at least 6"),
    ],
)
def test_a_run_needs_good_values(owner: Actor, name: str, value: str, text: str) -> None:
    script, server = create(owner), ready(owner)
    errors = refused(lambda: run(owner, script, server, **{name: value}))
    assert list(errors) == [f"parameters.{name}"]
    assert text in errors[f"parameters.{name}"][0]
    assert not AuditEvent.objects.filter(event="script.run").exists()


def test_what_is_given_may_be_empty_and_then_no_default_takes_its_place(owner: Actor) -> None:
    (one,) = run(owner, create(owner), ready(owner), GREETING="", API_TOKEN="")
    assert one.values == {"GREETING": "", "TARGET": "world", "API_TOKEN": ""}


def test_a_secret_is_kept_from_everything_but_the_script(owner: Actor) -> None:
    (one,) = run(owner, create(owner), ready(owner), API_TOKEN=SECRET)
    assert SECRET in secrets_of(owner.organization.pk)
    assert everything().count(SECRET) == 0
    assert ScriptRun.objects.get(pk=one.pk).secrets == {"API_TOKEN": SECRET}


def everything() -> str:
    """All that the database holds of the run, as it is stored."""
    rows = ""
    with connection.cursor() as cursor:
        for model in (ScriptRun, Job, AuditEvent):
            cursor.execute(f"SELECT * FROM {model._meta.db_table}")  # noqa: S608 -- the name of a table of ours
            rows += str(cursor.fetchall())
    return rows


def test_with_the_run_its_secrets_end(owner: Actor, outsider: Actor) -> None:
    (one,) = run(owner, create(owner), ready(owner), API_TOKEN=SECRET)
    assert SECRET not in secrets_of(outsider.organization.pk)
    cancel_job(owner, job=one.job)
    one.refresh_from_db()
    assert (one.secrets, one.finished_at is not None) == ({}, True)
    assert one.parameters == {"GREETING": "hello", "TARGET": "world", "API_TOKEN": None}
    assert SECRET not in secrets_of(owner.organization.pk)


def test_a_run_that_has_ended_is_not_repeated(owner: Actor) -> None:
    (one,) = run(owner, create(owner), ready(owner))
    ScriptRun.objects.update(finished_at=timezone.now())
    attempt = claim(one.job_id)
    assert attempt is not None
    with pytest.raises(Conflict, match="has ended"):
        kind.RunScript().run(attempt)


def test_the_exit_code_decides(owner: Actor) -> None:
    (one,) = run(owner, create(owner, timeout=60), ready(owner))
    attempt = claim(one.job_id)
    assert attempt is not None
    for code, text in ((1, "exit code 1"), (124, "exit code 124")):
        one.exit_code = code
        with pytest.raises(Error, match=text):
            kind.judge(attempt, one)
    attempt.job.started_at = timezone.now() - timedelta(seconds=61)
    with pytest.raises(Error, match="had not ended after 60 seconds"):
        kind.judge(attempt, one)
    one.exit_code = 0
    kind.judge(attempt, one)


def test_removing_a_script_keeps_its_runs(owner: Actor) -> None:
    script = create(owner)
    (one,) = run(owner, script, ready(owner))
    actions.delete_script(owner, script=script)
    one.refresh_from_db()
    assert (one.script, one.script_name, one.body) == (None, "Greet", BODY)
    assert one.job.is_open
    assert AuditEvent.objects.filter(event="script.deleted", target="Greet").exists()


def test_others_see_neither_script_nor_run(owner: Actor, outsider: Actor) -> None:
    run(owner, create(owner), ready(owner))
    assert AutomationScript.objects.visible_to(owner).count() == ScriptRun.objects.visible_to(owner).count() == 1
    assert not AutomationScript.objects.visible_to(outsider).exists()
    assert not ScriptRun.objects.visible_to(outsider).exists()


def test_a_limited_token_runs_scripts_on_its_servers_and_changes_none(owner: Actor) -> None:
    script, mine, other = create(owner), ready(owner), ready(owner)
    limited = replace(owner, resources=Resources(servers=frozenset([mine.pk]), sites=frozenset()))
    assert list(refused(lambda: run(limited, script, mine, other))) == ["servers.1"]
    run(owner, script, other)
    (one,) = run(limited, script, mine)
    assert list(ScriptRun.objects.visible_to(limited)) == [one]
    for work in (
        lambda: create(limited, name="Mine"),
        lambda: actions.update_script(limited, script=script, body="true"),
        lambda: actions.delete_script(limited, script=script),
    ):
        with pytest.raises(Denied, match="reaches beyond"):
            work()
    assert AutomationScript.objects.get().body == BODY
