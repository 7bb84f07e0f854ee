"""What every request passes: an id for the logs, and pages for errors that actions raise."""

import re
from collections.abc import Callable

from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from deploynix.errors import Error
from deploynix.ids import new_id
from deploynix.logs import request_id

GetResponse = Callable[[HttpRequest], HttpResponse]
_SAFE_ID = re.compile(r"[A-Za-z0-9-]{8,64}")


class RequestIdMiddleware:
    """Takes X-Request-ID over from a proxy, or makes one, and answers with it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        value = given if _SAFE_ID.fullmatch(given) else new_id()
        # Left set: Django logs an answer of 4xx or 5xx after the middleware. The thread's next request sets its own.
        request_id.set(value)
        response = self.get_response(request)
        response["X-Request-ID"] = value
        return response


class ErrorPageMiddleware:
    """Shows an error that an action raised, and that no form took, as a page with its message and hint."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # PostgreSQL's texts cannot hold NUL, and no address of ours has one.
        if "\0" in request.path_info or "%00" in request.META["QUERY_STRING"]:
            raise BadRequest("The address holds a NUL character.")
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, ValidationError):
            exception = Error(" ".join(exception.messages))
            exception.status = 422
        if not isinstance(exception, Error):
            return None
        return render(request, "error.html", {"error": exception}, status=exception.status)
