"""The page of activity: how much there was, and the latest of it."""

from typing import Any

from django.db.models import QuerySet
from django.utils.functional import cached_property

from activity.analytics import analyse
from activity.filters import ActivityFilter
from activity.models import ActivityEvent
from activity.views.commands import report_command
from deploynix.charts import daily_chart
from organizations.pages import ListPage

# Kinds, and actors, that the page counts.
LISTED = 10


class Activity(ListPage[ActivityEvent]):
    model = ActivityEvent
    ability = "activity:read"
    template_name = "activity/activity.html"

    @cached_property
    def filter(self) -> ActivityFilter:
        return ActivityFilter(self.request.GET, actor=self.actor)

    def get_queryset(self) -> QuerySet[ActivityEvent]:
        events = super().get_queryset().select_related("site").defer("site__deploy_private_key")
        return self.filter.apply(events).order_by(*ActivityEvent.NEWEST_FIRST)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = analyse(self.filter.apply(ActivityEvent.objects.visible_to(self.actor)))
        period = self.filter.period
        return super().get_context_data(
            form=self.filter,
            chart=daily_chart(found.by_day.items(), since=period.since, until=period.until),
            by_kind=list(found.by_kind.items())[:LISTED],
            by_actor=list(found.by_actor.items())[:LISTED],
            curl=report_command(self.request, "/activity/events", {"events": [{"kind": "deploy.finished"}]}),
            **kwargs,
        )
