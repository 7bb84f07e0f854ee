"""Storing automation scripts, and running them."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from django.db import IntegrityError, transaction

from audit.log import changed, record
from deploynix.actor import Actor
from deploynix.errors import Conflict, Invalid
from jobs.actions import enqueue_job
from servers.models import AutomationScript, RunAs, ScriptRun, Server
from servers.parameters import check_declared, check_given

MOST_SERVERS = 50


@transaction.atomic
def create_script(
    actor: Actor,
    *,
    name: str,
    body: str,
    description: str = "",
    parameters: Sequence[Mapping[str, Any]] = (),
    run_as: str = RunAs.ROOT,
    timeout: int = 600,
) -> AutomationScript:
    """Stores a script. `parameters` are the fields of `servers.parameters.Parameter`, `timeout` is in seconds.

    Raises Denied, Invalid and ValidationError.
    """
    actor.require_unlimited("script:create")
    script = AutomationScript(
        organization=actor.organization,
        name=name,
        description=description,
        body=body,
        parameters=list(parameters),
        run_as=run_as,
        timeout=timeout,
    )
    _save(script)
    record(actor, "script.created", script, {"body": [None, digest_of(script.body)]})
    return script


@transaction.atomic
def update_script(actor: Actor, *, script: AutomationScript, **values: Any) -> AutomationScript:
    """Changes what is given of the values of `create_script`. Raises Denied, Invalid and ValidationError."""
    actor.require_unlimited("script:update")
    script = _locked(script)
    before = _recorded(script, values)
    for name, value in values.items():
        setattr(script, name, value)
    _save(script)
    if changes := changed(before, _recorded(script, values)):
        record(actor, "script.updated", script, changes)
    return script


@transaction.atomic
def delete_script(actor: Actor, *, script: AutomationScript) -> None:
    """Removes the script. What was run of it stays, under its name, and runs that are under way go on."""
    actor.require_unlimited("script:delete")
    script = _locked(script)
    record(actor, "script.deleted", script)
    script.delete()


@transaction.atomic
def run_script(
    actor: Actor, *, script: AutomationScript, servers: Sequence[str], parameters: Mapping[str, str] | None = None
) -> list[ScriptRun]:
    """Queues one job for each of the servers, given by id. `parameters` maps names to values.

    Raises Denied, and Invalid, naming `servers.<position>` or `parameters.<name>`; then none of them runs.
    """
    actor.require("script:run")
    script = _locked(script)
    chosen = _chosen(actor, servers)
    values = check_given(script.declared, parameters or {})
    return [_enqueue(actor, script, server, values) for server in chosen]


def digest_of(body: str) -> str:
    """Stands for a body where the text itself would be too much, as `sha256sum` prints it."""
    return sha256(body.encode()).hexdigest()


def _chosen(actor: Actor, ids: Sequence[str]) -> list[Server]:
    if not ids:
        raise Invalid({"servers": ["The servers field is required."]})
    if len(ids) > MOST_SERVERS:
        raise Invalid({"servers": [f"The servers field must not have more than {MOST_SERVERS} items."]})
    known = Server.objects.visible_to(actor).defer("private_key", "login_key").in_bulk(ids)
    errors: dict[str, list[str]] = {}
    for number, pk in enumerate(ids):
        if fault := _fault_of(known.get(pk), is_repeated=pk in ids[:number]):
            errors[f"servers.{number}"] = [fault]
    if errors:
        raise Invalid(errors)
    return [known[pk] for pk in ids]


def _fault_of(server: Server | None, *, is_repeated: bool) -> str:
    if server is None:
        return "The selected server is invalid."
    if is_repeated:
        return f"{server} is listed twice."
    if not server.is_ready:
        return f"{server} is not ready: it has to be provisioned first."
    return ""


def _enqueue(actor: Actor, script: AutomationScript, server: Server, values: Mapping[str, str]) -> ScriptRun:
    secret = {parameter.name for parameter in script.declared if parameter.secret}
    run = ScriptRun(
        script=script,
        script_name=script.name,
        server=server,
        body=script.body,
        body_sha256=digest_of(script.body),
        parameters={name: None if name in secret else value for name, value in values.items()},
        secrets={name: value for name, value in values.items() if name in secret},
        run_as=script.run_as,
        timeout=script.timeout,
    )
    run.job = enqueue_job(
        actor,
        kind="run_script",
        subject=server,
        label=f"Run {script} on {server}",
        lane=script.lane_on(server),
        params={"run": run.pk},
    )
    run.save()
    record(actor, "script.run", script, {"server": [None, server.name], "run": [None, run.pk]})
    return run


def _locked(script: AutomationScript) -> AutomationScript:
    return AutomationScript.objects.select_for_update().get(pk=script.pk)


def _recorded(script: AutomationScript, names: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: getattr(script, name) for name in names}
    return values | {"body": digest_of(script.body)} if "body" in values else values


def _save(script: AutomationScript) -> None:
    # With the line ends of Windows, as forms send them, bash takes the carriage return for a part of each command.
    script.body = script.body.replace("\r\n", "\n")
    check_declared(script.parameters)
    script.full_clean(validate_unique=False, validate_constraints=False)
    _check_name(script)
    try:
        with transaction.atomic():
            script.save()
    except IntegrityError as error:
        # Another request has just taken the name.
        _check_name(script)
        raise Conflict(f"{script} could not be saved.", "Try again.") from error


def _check_name(script: AutomationScript) -> None:
    others = AutomationScript.objects.filter(organization=script.organization_id, name=script.name)
    if others.exclude(pk=script.pk).exists():
        raise Invalid({"name": ["The name has already been taken."]})
