"""The audit log's page. It stands here because `audit` is below people and organizations."""

from typing import Any

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.functional import cached_property
from django.views.generic import TemplateView

from audit.actions import export_events
from audit.filters import AuditFilter
from audit.models import AuditEvent, AuditQuerySet
from organizations.models import Membership
from organizations.pages import PageMixin

PER_PAGE = 50


class FilteredMixin(PageMixin):
    ability = "audit:read"

    @cached_property
    def filter(self) -> AuditFilter:
        people = Membership.objects.visible_to(self.actor).order_by("user__email").values_list("user_id", "user__email")
        return AuditFilter(self.request.GET, people=people)

    def events(self) -> AuditQuerySet:
        return self.filter.apply(AuditEvent.objects.visible_to(self.actor))


class AuditView(FilteredMixin, TemplateView):
    """Pages go by id, `?before=` the last one shown: nothing is counted, and the millionth row costs as the first."""

    template_name = "audit/log.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        before = self.request.GET.get("before", "")
        rows = self.events().filter(id__lt=before) if before else self.events()
        found = list(rows[: PER_PAGE + 1])
        shown = found[:PER_PAGE]
        older = shown[-1].id if len(found) > PER_PAGE else ""
        return super().get_context_data(
            form=self.filter, events=shown, older=older, before=before, query=self.filter.query(), **kwargs
        )


class AuditExportView(FilteredMixin):
    """The same rows as CSV, sent as they are read."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        lines = export_events(self.actor, events=self.events(), filters=self.filter.query())
        response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="audit-{timezone.now():%Y-%m-%d}.csv"'
        return response
