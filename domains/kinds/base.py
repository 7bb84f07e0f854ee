"""What the kinds of work on a connection share."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from deploynix.actor import system_actor
from deploynix.errors import Conflict, Error
from deploynix.redact import Redactor, secrets_of
from domains.hosts import ANY, host_of
from domains.models import Connection, State, Way
from domains.models.connections import OWNERSHIP_PREFIX
from domains.states import move
from domains.verification import View
from jobs.kinds import JobKind
from jobs.models import Job
from jobs.run import Run
from providers.kinds import said

HELD = (
    "Another organization of this install has connected the domain, and its ownership record is still in the zone. "
    "Remove it there if the domain is yours, and have it checked again."
)
LOST = "Another organization of this install has shown that the domain is now theirs."
FOUND_CONFLICTS = "Values of others stand in the way: confirm that they may be overwritten."


class ConnectionKind(JobKind):
    queue = "provider"
    ability = "provider:update"

    def on_failed(self, job: Job, error: Error) -> None:
        connection = Connection.objects.select_related("organization").filter(pk=job.subject_id).first()
        if connection and connection.state != State.DISCONNECTED:
            actor, state = system_actor(job.organization), self.failed_state(connection)
            reason = Redactor(secrets_of(job.organization_id)).redact(said(error))
            move(actor, connection, state, reason, checked_at=timezone.now())

    def on_cancelled(self, job: Job) -> None:
        rows = Connection.objects.select_related("organization").filter(pk=job.subject_id)
        connection = rows.filter(state__in=(State.APPLYING, State.VERIFYING)).first()
        if connection:
            move(system_actor(job.organization), connection, State.PENDING, "This was cancelled.")

    def failed_state(self, connection: Connection) -> State:
        return missing_state(connection)


def connection_of(run: Run) -> Connection:
    """Raises Conflict where it has been removed."""
    rows = Connection.objects.select_related("organization", "application", "credential")
    connection = rows.filter(pk=run.job.subject_id).first()
    if connection is None or connection.state == State.DISCONNECTED:
        raise Conflict("The domain has been disconnected.")
    return connection


def missing_state(connection: Connection) -> State:
    """What others put in place may still be on its way; what was active, or is ours, should be there."""
    is_expected = connection.active_at or connection.way == Way.CREDENTIAL
    return State.FAILING if is_expected else State.PENDING


def waits(connection: Connection) -> bool:
    """Whether somebody has to decide about conflicts first."""
    return connection.conflicts.filter(removed_at=None, confirmed_at=None).exists()


def keep(run: Run, connection: Connection, view: View, missing_state: State) -> None:
    """Writes down what was seen, and what that makes of the connection."""
    now = timezone.now()
    for sight in view.sights:
        fields: dict[str, Any] = {"sight": run.redact(sight.text)}
        connection.records.filter(pk=sight.record.pk).update(**fields, seen_at=now if sight.is_seen else None)
        run.line(f"{sight.record}: {'is there' if sight.is_seen else 'is not there'}. {sight.text}".rstrip())
    host = host_of(view.servers)
    seen: dict[str, Any] = {"checked_at": now, "apex": view.apex}
    if host != ANY and connection.way != Way.DOMAIN_CONNECT:
        seen["dns_provider"] = host.label
    if not view.is_whole:
        move(run.actor, connection, missing_state, view.missing, **seen)
    elif is_held(connection, view.tokens):
        move(run.actor, connection, missing_state, HELD, **seen)
    else:
        _activate(run, connection, {**seen, "active_at": connection.active_at or now})


def is_held(connection: Connection, tokens: frozenset[str]) -> bool:
    """Whether the domain is another organization's, as far as the zone says so."""
    others = Connection.objects.filter(domain=connection.domain, state=State.ACTIVE).exclude(pk=connection.pk)
    return any(OWNERSHIP_PREFIX + other.token in tokens for other in others)


def _activate(run: Run, connection: Connection, fields: dict[str, Any]) -> None:
    others = Connection.objects.select_related("organization").filter(domain=connection.domain, state=State.ACTIVE)
    for other in others.exclude(pk=connection.pk):
        move(system_actor(other.organization), other, State.FAILING, LOST)
    try:
        with transaction.atomic():
            move(run.actor, connection, State.ACTIVE, **fields)
    except IntegrityError as error:
        raise Error(f"{connection} has just been connected by somebody else.", retryable=True) from error
