"""Activity and errors as the API shows and takes them."""

from typing import Any

from rest_framework import serializers

from activity.actions.events import MOST_EVENTS
from activity.analytics import MOST_DAYS, MOST_LISTED
from activity.models import ErrorStatus, Level
from activity.validators import LARGEST_METADATA, OLDEST
from deploynix.api.schema import EXAMPLE_ID
from deploynix.api.serializers import Input, Output, Query

_OCCURRED_AT = f"Now where it is missing; at most {OLDEST.days} days ago."
_SITE = "The site that it is about."
_STACK = "TypeError: total is not a function\n    at checkout (/srv/app/cart.js:42:7)"


class ActivityEventOutput(Output):
    id = serializers.CharField()
    kind = serializers.CharField()
    actor = serializers.CharField()
    site_id = serializers.CharField(allow_null=True)
    text = serializers.CharField()
    metadata = serializers.DictField()
    token_id = serializers.CharField(help_text="The token that reported it.")
    occurred_at = serializers.DateTimeField()
    created_at = serializers.DateTimeField()

    example = {
        "id": EXAMPLE_ID,
        "kind": "deploy.finished",
        "actor": "ci",
        "site_id": EXAMPLE_ID,
        "text": "Version 1.4.2 is out",
        "metadata": {"version": "1.4.2"},
        "token_id": EXAMPLE_ID,
        "occurred_at": "2026-04-16T10:30:00Z",
        "created_at": "2026-04-16T10:30:01Z",
    }


class EventInput(Input):
    kind = serializers.CharField(max_length=64, help_text="Lower-case words with dots in between.")
    actor = serializers.CharField(
        max_length=255, required=False, help_text="Who did it; the person and token that report where it is missing."
    )
    site_id = serializers.CharField(max_length=26, required=False, allow_null=True, help_text=_SITE)
    text = serializers.CharField(max_length=1000, required=False, allow_blank=True)
    metadata = serializers.DictField(required=False, help_text=f"At most {LARGEST_METADATA} bytes of JSON.")
    occurred_at = serializers.DateTimeField(required=False, help_text=_OCCURRED_AT)

    example = {"kind": "deploy.finished", "actor": "ci", "site_id": EXAMPLE_ID, "metadata": {"version": "1.4.2"}}


class EventsInput(Input):
    events = serializers.ListField(child=EventInput(), min_length=1, max_length=MOST_EVENTS)

    example = {"events": [dict(EventInput.example)]}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        events = data.get("events")
        # Before each of them is looked at.
        if isinstance(events, list) and not 0 < len(events) <= MOST_EVENTS:
            raise serializers.ValidationError({"events": [f"Report 1 to {MOST_EVENTS} events at once."]})
        return super().to_internal_value(data)


class RecordedOutput(Output):
    recorded = serializers.IntegerField()

    example = {"recorded": 1}


class ActivityQuery(Query):
    kind = serializers.CharField(required=False)
    actor = serializers.CharField(required=False)
    site = serializers.CharField(required=False, help_text="A site's id.")


class AnalyticsQuery(Query):
    site = serializers.CharField(required=False, help_text="A site's id.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # `from` cannot be the name of an attribute.
        first = serializers.DateField(
            required=False, help_text=f"The first day, in UTC; 30 days in all where missing, {MOST_DAYS} at most."
        )
        last = serializers.DateField(required=False, help_text="The last day, in UTC; today where it is missing.")
        return {"from": first, "to": last, **super().get_fields()}


class KindCount(Output):
    kind = serializers.CharField()
    count = serializers.IntegerField()


class ActorCount(Output):
    actor = serializers.CharField()
    count = serializers.IntegerField()


class DayCount(Output):
    day = serializers.DateField()
    count = serializers.IntegerField()


class AnalyticsOutput(Output):
    total = serializers.IntegerField()
    by_kind = KindCount(many=True, help_text=f"The {MOST_LISTED} with the most events.")
    by_actor = ActorCount(many=True, help_text=f"The {MOST_LISTED} with the most events.")
    by_day = DayCount(many=True, help_text="The days with events, the oldest first.")

    example = {
        "total": 42,
        "by_kind": [{"kind": "deploy.finished", "count": 40}, {"kind": "deploy.failed", "count": 2}],
        "by_actor": [{"actor": "ci", "count": 42}],
        "by_day": [{"day": "2026-04-15", "count": 30}, {"day": "2026-04-16", "count": 12}],
    }


class ErrorOutput(Output):
    id = serializers.CharField()
    site_id = serializers.CharField(allow_null=True)
    fingerprint = serializers.CharField(help_text="What the occurrences have in common.")
    status = serializers.ChoiceField(choices=ErrorStatus.choices)
    type = serializers.CharField()
    message = serializers.CharField(help_text="That of the last occurrence, as are level, environment and release.")
    level = serializers.ChoiceField(choices=Level.choices)
    environment = serializers.CharField()
    release = serializers.CharField()
    count = serializers.IntegerField(help_text="How often it occurred.")
    first_seen_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    resolved_at = serializers.DateTimeField(allow_null=True)
    resolved_by = serializers.CharField()

    example = {
        "id": EXAMPLE_ID,
        "site_id": EXAMPLE_ID,
        "fingerprint": "3f2a9c41d0b85e76a1c4f9d2e7b60853",
        "status": "open",
        "type": "TypeError",
        "message": "total is not a function",
        "level": "error",
        "environment": "production",
        "release": "1.4.2",
        "count": 17,
        "first_seen_at": "2026-04-15T08:00:00Z",
        "last_seen_at": "2026-04-16T10:30:00Z",
        "resolved_at": None,
        "resolved_by": "",
    }


class ErrorEventOutput(Output):
    id = serializers.CharField()
    type = serializers.CharField()
    message = serializers.CharField()
    stack = serializers.CharField()
    context = serializers.DictField()  # type: ignore[assignment]  # shadows the serializer's own context on purpose
    level = serializers.ChoiceField(choices=Level.choices)
    environment = serializers.CharField()
    release = serializers.CharField()
    token_id = serializers.CharField(help_text="The token that reported it.")
    occurred_at = serializers.DateTimeField()


class ErrorWithEvents(ErrorOutput):
    """Documents the answer for one error; its latest occurrences are rows of their own."""

    events = ErrorEventOutput(many=True)

    example = ErrorOutput.example | {
        "events": [
            {
                "id": EXAMPLE_ID,
                "type": "TypeError",
                "message": "total is not a function",
                "stack": _STACK,
                "context": {"path": "/checkout"},
                "level": "error",
                "environment": "production",
                "release": "1.4.2",
                "token_id": EXAMPLE_ID,
                "occurred_at": "2026-04-16T10:30:00Z",
            }
        ]
    }


class ErrorInput(Input):
    message = serializers.CharField()
    type = serializers.CharField(max_length=255, required=False, allow_blank=True, help_text="Such as TypeError.")
    stack = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    context = serializers.DictField(  # type: ignore[assignment]  # shadows the serializer's own context on purpose
        required=False, help_text="Whatever helps to find the cause, as JSON."
    )
    level = serializers.ChoiceField(choices=Level.choices, required=False)
    environment = serializers.CharField(max_length=64, required=False, allow_blank=True)
    release = serializers.CharField(max_length=128, required=False, allow_blank=True)
    site_id = serializers.CharField(max_length=26, required=False, allow_null=True, help_text=_SITE)
    fingerprint = serializers.CharField(
        max_length=128,
        required=False,
        help_text="Errors with the same one are counted together; made of type, message and stack where missing.",
    )
    occurred_at = serializers.DateTimeField(required=False, help_text=_OCCURRED_AT)

    example = {
        "message": "total is not a function",
        "type": "TypeError",
        "stack": _STACK,
        "context": {"path": "/checkout"},
        "environment": "production",
        "release": "1.4.2",
        "site_id": EXAMPLE_ID,
    }


class RecordedErrorOutput(Output):
    id = serializers.CharField()
    fingerprint = serializers.CharField()

    example = {"id": EXAMPLE_ID, "fingerprint": "3f2a9c41d0b85e76a1c4f9d2e7b60853"}


class ErrorQuery(Query):
    status = serializers.ChoiceField(choices=ErrorStatus.choices, required=False)
    site = serializers.CharField(required=False, help_text="A site's id.")
