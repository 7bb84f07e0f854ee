"""Values in the zones of DNS credentials: put there, and taken away."""

from django.db import transaction

from audit.log import changed, record
from deploynix.actor import Actor
from deploynix.errors import Invalid
from domains.contents import ADD, REMOVE, Value
from domains.models.connections import USUAL_TTL
from domains.wanted import plain_records
from jobs.actions import enqueue_job
from jobs.models import Job
from providers.contracts.dns import Zone
from providers.models import Credential


@transaction.atomic
def add_record(
    actor: Actor,
    *,
    credential: Credential,
    zone: str,
    name: str,
    type: str,  # noqa: A002 -- its name in DNS
    value: str,
    ttl: int = USUAL_TTL,
) -> tuple[Value, Job]:
    """Queues the job that puts a value beside the others of its name. The name may be relative to the zone; the TTL is
    in seconds, and longer where the provider takes no shorter one. Raises Denied and Invalid."""
    actor.require_unlimited("provider:update")
    try:
        (wanted,) = plain_records(zone, [{"name": name, "type": type, "value": value, "ttl": ttl}])
    except Invalid as error:
        raise Invalid({field.removeprefix("records.0."): texts for field, texts in error.errors.items()}) from None
    added = Value(Zone("", zone).name_of(wanted.name), wanted.type, wanted.value)
    record(actor, "credential.record-added", credential, changed({}, {**_told(added), "ttl": wanted.ttl}))
    return added, _enqueue(actor, ADD, credential, zone, added, ttl=wanted.ttl)


@transaction.atomic
def remove_record(actor: Actor, *, credential: Credential, zone: str, value: Value) -> Job:
    """Queues the job that takes one value away, and leaves the others of its name. Raises Denied."""
    actor.require_unlimited("provider:update")
    record(actor, "credential.record-removed", credential, changed(_told(value), dict.fromkeys(_told(value))))
    return _enqueue(actor, REMOVE, credential, zone, value)


def changes_of(credential: Credential, zone: str) -> list[Job]:
    """The latest jobs that changed the zone, or will."""
    return list(Job.objects.about(credential).filter(kind__in=(ADD, REMOVE), params__zone=zone).order_by("-id")[:5])


def _told(value: Value) -> dict[str, str]:
    return {"name": value.name, "type": value.type, "value": value.shown}


def _enqueue(actor: Actor, kind: str, credential: Credential, zone: str, value: Value, **params: int) -> Job:
    label = f"{'Add' if kind == ADD else 'Remove'} {value.type} {value.name}"
    return enqueue_job(
        actor,
        kind=kind,
        subject=credential,
        label=label,
        params={"zone": zone, "record": value.id, **params},
    )
