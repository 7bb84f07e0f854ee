"""Activity under /api/v1/activity."""

from typing import Any

from django.http import HttpRequest

from activity.actions.events import record_events
from activity.analytics import Period, analyse
from activity.api.serializers import (
    ActivityEventOutput,
    ActivityQuery,
    AnalyticsOutput,
    AnalyticsQuery,
    EventsInput,
    RecordedOutput,
)
from activity.models import ActivityEvent
from activity.reports import about_site
from deploynix.api.operations import operation
from deploynix.api.views import Response, View


class Events(View):
    abilities = {"GET": "activity:read", "POST": "activity:create"}
    tag = "Activity"

    @operation("List activity events", query=ActivityQuery, page=ActivityEventOutput)
    def get(self, request: HttpRequest) -> Response:
        """The latest first, by the time at which they occurred."""
        asked = self.query(ActivityQuery)
        events = about_site(ActivityEvent.objects.visible_to(self.actor), self.actor, asked.pop("site", None))
        return self.page(events.filter(**asked).order_by(*ActivityEvent.NEWEST_FIRST), ActivityEventOutput)

    @operation("Report activity events", input=EventsInput, one=RecordedOutput, status=201)
    def post(self, request: HttpRequest) -> Response:
        """Up to 100 at once: all of them are recorded, or none."""
        return Response({"data": {"recorded": record_events(self.actor, **self.input(EventsInput))}}, 201)


class ActivityAnalytics(View):
    abilities = {"GET": "activity:read"}
    tag = "Activity"

    @operation("Count activity events", query=AnalyticsQuery, one=AnalyticsOutput)
    def get(self, request: HttpRequest) -> Response:
        """By kind, by actor and by day, both days included. Days are UTC."""
        asked = self.query(AnalyticsQuery)
        events = about_site(ActivityEvent.objects.visible_to(self.actor), self.actor, asked.get("site"))
        found = analyse(Period.of(asked.get("from"), asked.get("to")).of_events(events))
        counts: dict[str, Any] = {
            "by_kind": [{"kind": kind, "count": count} for kind, count in found.by_kind.items()],
            "by_actor": [{"actor": actor, "count": count} for actor, count in found.by_actor.items()],
            "by_day": [{"day": day, "count": count} for day, count in found.by_day.items()],
        }
        return Response({"data": {"total": found.total, **counts}})
