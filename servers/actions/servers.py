"""Adding, changing and removing servers, and the work on them."""

import re
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.log import changed, record
from deploynix.actor import Actor
from deploynix.errors import Conflict, Invalid
from jobs.actions import enqueue_job
from jobs.models import Job
from organizations.limits import require_room
from servers import checks, ssh
from servers.models import Comparison, LogName, LogReading, Provider, Server, Status

# What a GET of the API answers may be this old before it has it looked at again.
COMPARISON_LIFE = timedelta(minutes=1)
LOG_LIFE = timedelta(seconds=10)
LOG_LINES = 200
# Until it is provisioned, a server can still become another one.
CHOICES = ("login_user", "php_version", "database_type")
SETTINGS = ("name", "ip_address", "ssh_port", "monitoring_enabled")
REBOOT = "reboot"


@transaction.atomic
def create_server(
    actor: Actor,
    *,
    name: str,
    ip_address: str,
    provider: str = Provider.CUSTOM,
    ssh_port: int = 22,
    login_user: str = "root",
    php_version: str | None = None,
    database_type: str = "none",
    private_key: str | None = None,
    host_key: str | None = None,
    monitoring_enabled: bool = True,
) -> Server:
    """Adds a machine that exists already. With a private key for its first sign-in, provisioning starts at once;
    without one, the server's own public key has to be authorised first.

    Raises Denied, LimitReached, Invalid and ValidationError.
    """
    actor.require_unlimited("server:create")
    require_room(actor.organization, "max_servers")
    pinned = checks.host_key(host_key) if host_key else ""
    pair = ssh.generate_key("deploynix")
    server = Server(
        organization=actor.organization,
        name=name,
        provider=provider,
        ip_address=ip_address,
        ssh_port=ssh_port,
        login_user=login_user,
        php_version=php_version,
        database_type=database_type,
        private_key=pair.private,
        public_key=pair.public,
        login_key=checks.private_key(private_key) if private_key else None,
        host_key=pinned,
        host_key_fingerprint=ssh.fingerprint(pinned) if pinned else None,
        monitoring_enabled=monitoring_enabled,
    )
    _save(server)
    record(actor, "server.created", server)
    if not server.needs_authorizing:
        _start_provisioning(actor, server)
    return server


@transaction.atomic
def update_server(actor: Actor, *, server: Server, **values: Any) -> Server:
    """Changes what is given of SETTINGS, and before the first provisioning of CHOICES.

    An address may change at any time: what answers there has to show the pinned host key. Raises Denied, Invalid,
    Conflict and ValidationError.
    """
    actor.require("server:update")
    server = _locked(server)
    _require_presence(server)
    before = {name: getattr(server, name) for name in values}
    changes = changed(before, values)
    _refuse_late_choices(server, changes)
    for name, value in values.items():
        setattr(server, name, value)
    _save(server)
    if changes:
        record(actor, "server.updated", server, changes)
    return server


@transaction.atomic
def delete_server(actor: Actor, *, server: Server) -> Job:
    """Removes the server from here; the machine itself stays as it is, but for the key that lets Deploynix in.

    Raises Denied, and Conflict while it has sites or work on it is under way.
    """
    actor.require("server:delete")
    server = _locked(server)
    _require_presence(server)
    if count := server.sites.count():
        raise Conflict(f"{server} still has {count} site{'s' if count > 1 else ''}.", "Delete its sites first.")
    _require_quiet(server)
    Server.objects.filter(pk=server.pk).update(status=Status.DELETING, updated_at=timezone.now())
    record(actor, "server.deleted", server)
    return _enqueue(actor, server, "delete_server", f"Remove {server}", lane=server.lane)


@transaction.atomic
def provision_server(actor: Actor, *, server: Server) -> Job:
    """Provisions the server, for the first time or again. Raises Denied and Conflict."""
    actor.require("server:update")
    server = _locked(server)
    _require_presence(server)
    _require_quiet(server)
    return _start_provisioning(actor, server)


@transaction.atomic
def restart_server(actor: Actor, *, server: Server, what: str) -> Job:
    """Restarts the machine (`reboot`), or one of `checks.services(server)`. Raises Denied, Invalid and Conflict."""
    actor.require("server:update")
    _require_ready(server)
    if what != REBOOT and what not in checks.services(server):
        raise Invalid({"what": ["The selected what is invalid."]})
    label = f"Reboot {server}" if what == REBOOT else f"Restart {what} on {server}"
    record(actor, "server.restarted", server, {"what": [None, what]})
    return _enqueue(actor, server, "restart_server", label, lane=server.lane, params={"what": what})


@transaction.atomic
def accept_host_key(actor: Actor, *, server: Server, fingerprint: str) -> Job:
    """Pins the key that the server shows from now on, if it has this fingerprint (`SHA256:...`) when the job looks.

    Raises Denied, Invalid and Conflict.
    """
    actor.require("server:update")
    server = _locked(server)
    _require_presence(server)
    if not re.fullmatch(r"SHA256:[A-Za-z0-9+/]{43}", fingerprint):
        raise Invalid({"fingerprint": ["The fingerprint field must look like SHA256: and 43 characters."]})
    record(actor, "server.host-key-accepted", server, {"fingerprint": [server.host_key_fingerprint, fingerprint]})
    params = {"fingerprint": fingerprint}
    return _enqueue(actor, server, "accept_host_key", f"Accept the new host key of {server}", params=params)


@transaction.atomic
def apply_configuration(actor: Actor, *, server: Server) -> Job:
    """Brings the server's files to the desired configuration. Raises Denied and Conflict."""
    actor.require("server:update")
    _require_ready(server)
    record(actor, "server.converged", server)
    label = f"Apply the configuration of {server}"
    return _enqueue(actor, server, "apply_configuration", label, lane=server.lane)


@transaction.atomic
def check_configuration(actor: Actor, *, server: Server) -> Job:
    """Compares the server with the desired configuration, unless that is under way. Raises Denied and Conflict."""
    actor.require("server:read")
    server = _locked(server)
    _require_ready(server)
    return checks.open_job(server, "check_configuration") or _enqueue(
        actor, server, "check_configuration", f"Check the configuration of {server}", lane=server.lane
    )


def refresh_comparison(actor: Actor, *, server: Server) -> Job | None:
    """The check that is under way, or one that starts now because the last was more than a minute ago; else None."""
    since = timezone.now() - COMPARISON_LIFE
    known = Comparison.objects.filter(server=server, compared_at__gt=since)
    if not server.is_ready or known.exists() or checks.was_tried(server, "check_configuration", since):
        return checks.open_job(server, "check_configuration")
    return check_configuration(actor, server=server)


@transaction.atomic
def read_log(actor: Actor, *, server: Server, name: str, lines: int = LOG_LINES) -> Job:
    """Reads the last lines of one of LogName, unless that is under way. Raises Denied, Invalid and Conflict."""
    actor.require("log:read")
    server = _locked(server)
    _require_ready(server)
    if name not in LogName.values or (name == LogName.PHP and not server.php_version):
        raise Invalid({"name": ["The selected name is invalid."]})
    label = f"Read the log of {server} ({LogName(name).label})"
    return checks.open_job(server, "read_log", name=name) or _enqueue(
        actor, server, "read_log", label, params={"name": name, "lines": lines}
    )


def refresh_log(actor: Actor, *, server: Server, name: str, lines: int = LOG_LINES) -> Job | None:
    """The reading that is under way, or one that starts now because the last is ten seconds old; else None.

    Raises Denied.
    """
    actor.require("log:read")
    since = timezone.now() - LOG_LIFE
    known = LogReading.objects.filter(server=server, name=name, read_at__gt=since)
    if not server.is_ready or known.exists() or checks.was_tried(server, "read_log", since, name=name):
        return checks.open_job(server, "read_log", name=name)
    return read_log(actor, server=server, name=name, lines=lines)


def _locked(server: Server) -> Server:
    return Server.objects.select_for_update().get(pk=server.pk)


def _save(server: Server) -> None:
    checks.address(server.ip_address)
    server.full_clean(validate_unique=False, validate_constraints=False)
    checks.uniqueness(server)
    try:
        with transaction.atomic():
            server.save()
    except IntegrityError as error:
        # Another request has just taken the name or the address.
        checks.uniqueness(server)
        raise Conflict(f"{server} could not be saved.", "Try again.") from error


def _refuse_late_choices(server: Server, changes: dict[str, Any]) -> None:
    if server.provisioned_at is None:
        return
    late = [name for name in CHOICES if name in changes]
    if late:
        text = "The {} field cannot be changed once the server is provisioned."
        raise Invalid({name: [text.format(name.replace("_", " "))] for name in late})


def _require_presence(server: Server) -> None:
    if server.status == Status.DELETING:
        raise Conflict(f"{server} is being removed.", "See its job for how far that is.")


def _require_ready(server: Server) -> None:
    _require_presence(server)
    if not server.is_ready:
        raise Conflict(f"{server} is not provisioned yet.", "Provision it first.")


def _require_quiet(server: Server) -> None:
    job = Job.objects.open().filter(lane=server.lane).exclude(kind="check_configuration").first()
    if job:
        raise Conflict(f"{server} is busy: {job.label}.", "Wait for that job, or cancel it.")


def _start_provisioning(actor: Actor, server: Server) -> Job:
    Server.objects.filter(pk=server.pk).update(status=Status.PROVISIONING, status_reason="", updated_at=timezone.now())
    server.refresh_from_db()
    record(actor, "server.provisioned", server)
    return _enqueue(actor, server, "provision_server", f"Provision {server}", lane=server.lane)


def _enqueue(
    actor: Actor, server: Server, kind: str, label: str, *, lane: str = "", params: dict[str, Any] | None = None
) -> Job:
    return enqueue_job(actor, kind=kind, subject=server, label=label, lane=lane, params=params)
