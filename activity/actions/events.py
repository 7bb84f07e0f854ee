"""Activity: what happened, as programs report it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NotRequired, TypedDict

from django.core.exceptions import ValidationError
from django.db import transaction

from activity.models import ActivityEvent
from activity.reports import ReportedSites, ReportRedactor
from activity.validators import LARGEST_METADATA, checked_json, checked_time
from deploynix.actor import Actor
from deploynix.errors import Invalid

MOST_EVENTS = 100


class EventFields(TypedDict):
    """Without `actor` the event is the reporting actor's own, without `occurred_at` it is now."""

    kind: str
    actor: NotRequired[str]
    site_id: NotRequired[str | None]
    text: NotRequired[str]
    metadata: NotRequired[dict[str, Any]]
    occurred_at: NotRequired[datetime]


@transaction.atomic
def record_events(actor: Actor, *, events: Sequence[EventFields]) -> int:
    """Records up to MOST_EVENTS events, or none of them; returns how many.

    Raises Invalid, with names such as `events.3.kind`.
    """
    actor.require("activity:create")
    if not 0 < len(events) <= MOST_EVENTS:
        raise Invalid({"events": [f"Report 1 to {MOST_EVENTS} events at once."]})
    sites = ReportedSites(actor, (event.get("site_id") for event in events))
    redactor = ReportRedactor(actor)
    rows: list[ActivityEvent] = []
    errors: dict[str, list[str]] = {}
    for place, fields in enumerate(events):
        try:
            rows.append(_event(actor, fields, sites, redactor))
        except ValidationError as error:
            errors |= {f"events.{place}.{name}": texts for name, texts in error.message_dict.items()}
    if errors:
        raise Invalid(errors)
    return len(ActivityEvent.objects.bulk_create(rows))


def _event(actor: Actor, fields: EventFields, sites: ReportedSites, redactor: ReportRedactor) -> ActivityEvent:
    event = ActivityEvent(
        organization=actor.organization,
        site=sites.get(fields.get("site_id")),
        kind=fields["kind"],
        actor=fields.get("actor") or str(actor)[:255],
        text=fields.get("text", ""),
        metadata=checked_json("metadata", fields.get("metadata"), LARGEST_METADATA),
        token_id=actor.token_id or "",
        occurred_at=checked_time(fields.get("occurred_at")),
    )
    # The organization and the site are known; looking for them once more would cost a query for each event.
    event.clean_fields(exclude=["organization", "site"])
    event.actor = redactor.text(event.actor, 255)
    event.text = redactor.text(event.text, 1000)
    event.metadata = redactor.json(event.metadata)
    return event
