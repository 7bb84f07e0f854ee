"""Errors of applications under /api/v1/errors."""

from typing import Any

from django.http import HttpRequest

from activity.actions.errors import record_error, reopen_error, resolve_error
from activity.api.serializers import (
    ErrorEventOutput,
    ErrorInput,
    ErrorOutput,
    ErrorQuery,
    ErrorWithEvents,
    RecordedErrorOutput,
)
from activity.models import ErrorGroup, ErrorQuerySet
from activity.reports import about_site
from deploynix.api.operations import operation
from deploynix.api.parsers import TooLarge
from deploynix.api.views import Response, View

LARGEST_BODY = 64 * 1024


class ErrorView(View):
    tag = "Errors"

    def errors(self) -> ErrorQuerySet:
        return ErrorGroup.objects.visible_to(self.actor)

    def answer(self, message: str, error: ErrorGroup) -> Response:
        return self.one(self.errors().with_status().filter(pk=error.pk), ErrorOutput, message=message)


class Errors(ErrorView):
    abilities = {"GET": "error:read", "POST": "error:create"}

    @property
    def body(self) -> dict[str, Any]:
        body = super().body
        if len(self.request.body) > LARGEST_BODY:
            raise TooLarge(
                f"The body is larger than {LARGEST_BODY // 1024} KiB.", "Shorten the stack, or leave out some context."
            )
        return body

    @operation("List errors", query=ErrorQuery, page=ErrorOutput)
    def get(self, request: HttpRequest) -> Response:
        """Those of applications, the last seen first."""
        asked = self.query(ErrorQuery)
        errors = about_site(self.errors().of_status(asked.get("status", "")), self.actor, asked.get("site"))
        return self.page(errors.with_status().order_by(*ErrorGroup.NEWEST_FIRST), ErrorOutput)

    @operation("Report an error", input=ErrorInput, one=RecordedErrorOutput, status=201)
    def post(self, request: HttpRequest) -> Response:
        """In a body of at most 64 KiB. Errors with the same fingerprint are counted as one, which is open again if it
        was resolved."""
        error = record_error(self.actor, **self.input(ErrorInput))
        return Response({"data": {"id": error.pk, "fingerprint": error.fingerprint}}, 201)


class ErrorDetail(ErrorView):
    abilities = {"GET": "error:read"}

    @operation("Show an error", one=ErrorWithEvents)
    def get(self, request: HttpRequest, pk: str) -> Response:
        """`events` are its latest occurrences, the newest first."""
        row = self.row(self.errors().with_status().filter(pk=pk), ErrorOutput)
        events = self.errors().get(pk=pk).events.order_by("-id").values(*ErrorEventOutput.columns())
        return Response({"data": row | {"events": list(events)}})


class ResolveError(ErrorView):
    abilities = {"POST": "error:update"}

    @operation("Resolve an error", one=ErrorOutput, message="The error is resolved.")
    def post(self, request: HttpRequest, pk: str) -> Response:
        """It is open again when it comes back."""
        return self.answer("The error is resolved.", resolve_error(self.actor, error=self.find(self.errors(), pk)))


class ReopenError(ErrorView):
    abilities = {"POST": "error:update"}

    @operation("Reopen an error", one=ErrorOutput, message="The error is open again.")
    def post(self, request: HttpRequest, pk: str) -> Response:
        return self.answer("The error is open again.", reopen_error(self.actor, error=self.find(self.errors(), pk)))
