"""The pages of errors that applications reported."""

import json
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render, resolve_url
from django.utils.functional import cached_property

from activity.actions.errors import reopen_error, resolve_error
from activity.models import ErrorEvent, ErrorGroup, ErrorStatus
from activity.views.commands import report_command
from organizations.pages import ActionView, ListPage, PageMixin


class ErrorList(ListPage[ErrorGroup]):
    """`?status=` and `?site=` narrow it."""

    model = ErrorGroup
    ability = "error:read"
    template_name = "activity/errors.html"
    search_fields = ("type", "message", "release")
    filters = ("status", "site")

    def get_queryset(self) -> QuerySet[ErrorGroup]:
        errors: Any = super().get_queryset()
        rows: QuerySet[ErrorGroup] = errors.of_status(self.given["status"]).with_status().select_related("site")
        rows = rows.defer("site__deploy_private_key").order_by(*ErrorGroup.NEWEST_FIRST)
        return rows.filter(site=self.given["site"]) if self.given["site"] else rows

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        body = {"message": "total is not a function", "type": "TypeError", "environment": "production"}
        return super().get_context_data(
            statuses=ErrorStatus,
            curl=report_command(self.request, "/errors", body),
            **kwargs,
        )


class ErrorPage(PageMixin):
    """What the pages of one error share."""

    ability = "error:read"

    @cached_property
    def error(self) -> ErrorGroup:
        errors = ErrorGroup.objects.visible_to(self.actor).with_status().select_related("site")
        return get_object_or_404(errors.defer("site__deploy_private_key"), pk=self.kwargs["pk"])


class ErrorDetail(ErrorPage):
    """The stack and the context of the latest occurrence, or of the one that `?event=` names."""

    def get(self, request: HttpRequest, pk: str) -> HttpResponse:
        events = self.error.events.order_by("-id")
        wanted = request.GET.get("event")
        shown = get_object_or_404(events, pk=wanted) if wanted else events.first()
        context = {
            "error": self.error,
            "events": events.defer("stack", "context"),
            "shown": shown,
            "shown_context": _pretty(shown),
        }
        return render(request, "activity/error.html", context)


class ErrorButton(ErrorPage, ActionView):
    def get_success_url(self) -> str:
        return resolve_url(self.error)


class ResolveError(ErrorButton):
    ability = "error:update"

    def perform(self) -> str:
        resolve_error(self.actor, error=self.error)
        return "The error is resolved. It is open again when it comes back."


class ReopenError(ErrorButton):
    ability = "error:update"

    def perform(self) -> str:
        reopen_error(self.actor, error=self.error)
        return "The error is open again."


def _pretty(event: ErrorEvent | None) -> str:
    return json.dumps(event.context, indent=2, ensure_ascii=False) if event and event.context else ""
