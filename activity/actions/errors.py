"""Errors of applications: counted in groups, resolved, and open again as soon as they come back."""

from datetime import datetime
from typing import Any, TypedDict, Unpack

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Greatest, Least
from django.utils import timezone

from activity.fingerprints import derive_fingerprint
from activity.models import ErrorEvent, ErrorGroup, ErrorQuerySet, Level
from activity.reports import ReportedSites, ReportRedactor
from activity.validators import checked_json, checked_time
from audit.log import record
from deploynix.actor import Actor

# Occurrences of one error whose stack and context are kept.
KEPT_EVENTS = 20


class ErrorFields(TypedDict, total=False):
    """`site` is an id. Without a `fingerprint` one is derived, without `occurred_at` it happened now."""

    type: str
    stack: str
    context: dict[str, Any]
    level: str
    environment: str
    release: str
    site_id: str | None
    fingerprint: str
    occurred_at: datetime


@transaction.atomic
def record_error(actor: Actor, *, message: str, **fields: Unpack[ErrorFields]) -> ErrorGroup:
    """Counts one occurrence of an error, which opens it again where it was resolved. Raises ValidationError."""
    actor.require("error:create")
    site = ReportedSites(actor, [fields.get("site_id")]).get(fields.get("site_id"))
    redactor = ReportRedactor(actor)
    event = _event(actor, message, fields, redactor)
    given = redactor.text(fields.get("fingerprint", ""), 128)
    fingerprint = given or derive_fingerprint(event.type, event.message, event.stack)
    same = ErrorGroup.objects.visible_to(actor).filter(site=site, fingerprint=fingerprint)
    if not _count(same, event):
        first = {"first_seen_at": event.occurred_at, "last_seen_at": event.occurred_at}
        try:
            with transaction.atomic():
                ErrorGroup.objects.create(organization=actor.organization, site=site, fingerprint=fingerprint, **first)
        except IntegrityError:
            # Another report of the same error was faster; it is there now.
            pass
        _count(same, event)
    event.group = same.get()
    event.save()
    _forget_old_events(event.group)
    return event.group


@transaction.atomic
def resolve_error(actor: Actor, *, error: ErrorGroup) -> ErrorGroup:
    """Says that the error is mended. It is open again when it comes back."""
    actor.require("error:update")
    error = ErrorGroup.objects.select_for_update().get(pk=error.pk)
    if not error.resolved_at:
        _set_resolved(error, timezone.now(), str(actor)[:320])
        record(actor, "error.resolved", error)
    return error


@transaction.atomic
def reopen_error(actor: Actor, *, error: ErrorGroup) -> ErrorGroup:
    """Takes back that the error is mended."""
    actor.require("error:update")
    error = ErrorGroup.objects.select_for_update().get(pk=error.pk)
    if error.resolved_at:
        _set_resolved(error, None, "")
        record(actor, "error.reopened", error)
    return error


def _event(actor: Actor, message: str, fields: ErrorFields, redactor: ReportRedactor) -> ErrorEvent:
    event = ErrorEvent(
        type=fields.get("type", ""),
        message=message,
        stack=fields.get("stack", ""),
        context=checked_json("context", fields.get("context")),
        level=fields.get("level", Level.ERROR),
        environment=fields.get("environment", ""),
        release=fields.get("release", ""),
        token_id=actor.token_id or "",
        occurred_at=checked_time(fields.get("occurred_at")),
    )
    event.clean_fields(exclude=["group"])
    event.type = redactor.text(event.type, 255)
    event.message, event.stack = redactor.text(event.message), redactor.text(event.stack)
    event.environment, event.release = redactor.text(event.environment, 64), redactor.text(event.release, 128)
    event.context = redactor.json(event.context)
    return event


def _count(same: ErrorQuerySet, event: ErrorEvent) -> int:
    """Counts in the database, so that no report of many at once is lost. Returns 0 where there is no such group."""
    return same.update(
        count=F("count") + 1,
        first_seen_at=Least("first_seen_at", event.occurred_at),
        last_seen_at=Greatest("last_seen_at", event.occurred_at),
        type=event.type,
        message=event.message[:1000],
        level=event.level,
        environment=event.environment,
        release=event.release,
        resolved_at=None,
        resolved_by="",
    )


def _forget_old_events(group: ErrorGroup) -> None:
    events = ErrorEvent.objects.filter(group=group)
    events.exclude(pk__in=events.order_by("-id").values("pk")[:KEPT_EVENTS]).delete()


def _set_resolved(error: ErrorGroup, at: datetime | None, by: str) -> None:
    error.resolved_at, error.resolved_by = at, by
    error.save(update_fields=["resolved_at", "resolved_by"])
