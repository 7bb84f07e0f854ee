"""Connecting domains to applications, and disconnecting them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from secrets import token_hex
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from audit.log import record
from deploynix.actor import Actor, system_actor
from deploynix.errors import Conflict, Invalid
from domains.domain_connect.discovery import is_set_up
from domains.domain_connect.template import NOT_SET_UP, variables_of
from domains.models import Application, Connection, State, WantedRecord, Way
from domains.models.connections import OWNERSHIP_LABEL, OWNERSHIP_PREFIX
from domains.states import move
from domains.wanted import Wanted, plain_domain, plain_records
from jobs.actions import enqueue_job
from jobs.models import Job
from jobs.models import Status as JobStatus
from providers.base import Kind
from providers.models import Credential

APPLY, DISCONNECT = "apply_connection", "disconnect_connection"
CHECK, DISCOVER = "check_connection", "discover_connection"
CHECK_EVERY = timedelta(days=1)
# Somebody may be at it just now: what is put up by hand is looked for often at first.
FIRST_DAY, CHECK_SOON = timedelta(days=1), timedelta(minutes=5)
BATCH = 50


@transaction.atomic
def connect_domain(
    actor: Actor,
    *,
    application: Application,
    domain: str,
    way: str,
    records: Sequence[Mapping[str, Any]],
    credential: Credential | None = None,
    zone: str = "",
) -> Connection:
    """Writes down what is wanted, and begins. `records` are rows of `type`, `value`, and maybe `name` (relative to the
    domain) and `ttl`; one that shows whose the domain is comes with them. Values of others stay until somebody confirms
    that they may be overwritten.

    Raises Denied, Invalid and Unfit.
    """
    actor.require_unlimited("provider:create")
    name = plain_domain(domain)
    connection = Connection(
        organization=actor.organization,
        application=application,
        domain=name,
        way=_checked_way(actor, way, credential, zone),
        credential=credential,
        zone=zone.strip(),
        token=token_hex(16),
    )
    _save(connection)
    wanted = [
        *plain_records(name, records),
        Wanted("TXT", OWNERSHIP_LABEL, OWNERSHIP_PREFIX + connection.token),
    ]
    WantedRecord.objects.bulk_create(
        WantedRecord(connection=connection, type=row.type, name=row.name, value=row.value, ttl=row.ttl)
        for row in wanted
    )
    if way == Way.DOMAIN_CONNECT:
        variables_of(connection.records.all())
    record(actor, "connection.created", connection, {"way": [None, way], "application": [None, str(application)]})
    _begin(actor, connection)
    return connection


@transaction.atomic
def apply_connection(actor: Actor, *, connection: Connection, conflicts: Collection[str] = ()) -> Job:
    """Queues putting the records in place. `conflicts` are the ids of those that may be overwritten from now on.

    Raises Denied, Invalid for an id that is none of them, and Conflict.
    """
    actor.require_unlimited("provider:update")
    connection = _locked(connection)
    if connection.way != Way.CREDENTIAL:
        raise Conflict(f"The records of {connection} are not put in place by Deploynix.", "Have it checked instead.")
    _require_idle(connection)
    _confirm(actor, connection, conflicts)
    record(actor, "connection.applied", connection)
    return _enqueue(actor, connection, APPLY, f"Put the records of {connection} in place")


@transaction.atomic
def check_connection(actor: Actor, *, connection: Connection) -> Job:
    """Queues a look at the domain's name servers, or finds the one that waits. Raises Denied and Conflict."""
    actor.require_unlimited("provider:update")
    connection = _locked(connection)
    _require_standing(connection)
    record(actor, "connection.checked", connection)
    return _enqueue_check(actor, connection)


@transaction.atomic
def discover_connection(actor: Actor, *, connection: Connection) -> Job:
    """Queues asking the DNS provider for Domain Connect once more. Raises Denied and Conflict."""
    actor.require_unlimited("provider:update")
    connection = _locked(connection)
    if connection.way != Way.DOMAIN_CONNECT:
        raise Conflict(f"{connection} is not connected by Domain Connect.")
    _require_idle(connection)
    record(actor, "connection.applied", connection)
    return _enqueue(actor, connection, DISCOVER, f"Ask the DNS provider of {connection} for Domain Connect")


@transaction.atomic
def disconnect_connection(actor: Actor, *, connection: Connection, keep_records: bool = False) -> Job | None:
    """Queues removing what was put in place by us, and nothing else; there is no job where nothing was, or where the
    records are to be kept, as with a credential that no longer works. Raises Denied and Conflict."""
    actor.require_unlimited("provider:delete")
    connection = _locked(connection)
    _require_idle(connection)
    record(actor, "connection.disconnecting", connection, {"keep_records": [None, keep_records]})
    if keep_records or not connection.records.exclude(put_at=None).exists():
        move(actor, connection, State.DISCONNECTED, credential=None)
        return None
    Connection.objects.filter(pk=connection.pk).update(leaving_at=timezone.now())
    return _enqueue(actor, connection, DISCONNECT, f"Disconnect {connection}")


@transaction.atomic
def delete_connection(actor: Actor, *, connection: Connection) -> None:
    """Forgets a connection that has been disconnected, and what was overwritten for it. Raises Denied and Conflict."""
    actor.require_unlimited("provider:delete")
    connection = _locked(connection)
    if connection.state != State.DISCONNECTED:
        raise Conflict(f"{connection} is still connected.", "Disconnect it first.")
    record(actor, "connection.deleted", connection)
    connection.delete()


def check_due_connections() -> int:
    """Queues a look at those that nobody has looked at for a day, and, on their first day, at those that others put
    in place for a few minutes; how many."""
    now = timezone.now()
    waiting = Q(state=State.PENDING, created_at__gte=now - FIRST_DAY) & ~Q(way=Way.CREDENTIAL)
    due = Q(checked_at__lte=now - CHECK_EVERY) | (Q(checked_at__lte=now - CHECK_SOON) & waiting)
    open_jobs = Job.objects.open().filter(subject_type="connection").values("subject_id")
    rows = Connection.objects.standing().filter(due).exclude(pk__in=open_jobs)
    batch = list(rows.select_related("organization").order_by("checked_at", "pk")[:BATCH])
    for connection in batch:
        with transaction.atomic():
            _enqueue_check(system_actor(connection.organization), connection)
    return len(batch)


def open_job(connection: Connection) -> Job | None:
    """What is being done about it now."""
    return Job.objects.open().about(connection).exclude(kind__startswith="warn_").order_by("-id").first()


def _checked_way(actor: Actor, way: str, credential: Credential | None, zone: str) -> str:
    if way not in set(Way):
        raise Invalid({"way": ["The selected way is invalid."]})
    if way == Way.DOMAIN_CONNECT and not is_set_up():
        raise Invalid({"way": [NOT_SET_UP]})
    own = Credential.objects.visible_to(actor).filter(kind=Kind.DNS)
    if credential and (way != Way.CREDENTIAL or not own.filter(pk=credential.pk).exists()):
        raise Invalid({"credential_id": ["The selected credential id is invalid."]})
    if zone and way != Way.CREDENTIAL:
        raise Invalid({"zone": ["A zone is named for a DNS credential alone."]})
    return way


def _begin(actor: Actor, connection: Connection) -> None:
    if connection.way == Way.CREDENTIAL:
        _enqueue(actor, connection, APPLY, f"Connect {connection}")
    elif connection.way == Way.DOMAIN_CONNECT:
        _enqueue(actor, connection, DISCOVER, f"Ask the DNS provider of {connection} for Domain Connect")
    else:
        _enqueue_check(actor, connection)


def _confirm(actor: Actor, connection: Connection, conflicts: Collection[str]) -> None:
    found = {row.pk: row for row in connection.conflicts.filter(removed_at=None)}
    if unknown := sorted(set(conflicts) - found.keys()):
        raise Invalid({"conflicts": [f"{unknown[0]} is no conflict of this domain any more. Look again."]})
    new = [found[pk] for pk in sorted(set(conflicts)) if found[pk].confirmed_at is None]
    if new:
        connection.conflicts.filter(pk__in=[row.pk for row in new]).update(confirmed_at=timezone.now())
        record(actor, "connection.confirmed", connection, {"overwritten": [[str(row) for row in new], None]})


def _require_standing(connection: Connection) -> None:
    if connection.state == State.DISCONNECTED:
        raise Conflict(f"{connection} has been disconnected.", "Connect the domain again.")


def _require_idle(connection: Connection) -> None:
    _require_standing(connection)
    running = Job.objects.open().about(connection).filter(kind__in=(APPLY, DISCOVER, DISCONNECT))
    if running.exists():
        raise Conflict(f"{connection} is being worked on.", "Wait for that to end, or cancel the job.")


def _enqueue_check(actor: Actor, connection: Connection) -> Job:
    waiting = Job.objects.about(connection).filter(kind=CHECK, status=JobStatus.QUEUED).first()
    return waiting or _enqueue(actor, connection, CHECK, f"Check {connection}")


def _enqueue(actor: Actor, connection: Connection, kind: str, label: str) -> Job:
    return enqueue_job(actor, kind=kind, subject=connection, label=label, lane=connection.lane)


def _locked(connection: Connection) -> Connection:
    rows = Connection.objects.select_for_update(of=("self",)).select_related("organization", "application")
    return rows.get(pk=connection.pk)


def _save(connection: Connection) -> None:
    connection.full_clean(validate_unique=False, validate_constraints=False)
    taken = {"domain": [f"{connection.domain} is connected already. Disconnect it first."]}
    rows = Connection.objects.standing().filter(organization=connection.organization_id, domain=connection.domain)
    if rows.exists():
        raise Invalid(taken)
    try:
        with transaction.atomic():
            connection.save()
    except IntegrityError:
        raise Invalid(taken) from None
