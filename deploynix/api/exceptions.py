"""Error bodies: `message` and, in a 422, `errors`; besides `error: {code, message, status}`."""

import logging
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.core.signals import got_request_exception
from django.http import Http404, HttpRequest
from rest_framework import exceptions

from deploynix.api.responses import Response
from deploynix.api.texts import model_text
from deploynix.errors import Error, Invalid, Unauthenticated

logger = logging.getLogger(__name__)


class NotFound(Error):
    """Nothing is there, or nothing that this organization may see: the two are not told apart."""

    status = 404
    code = "not_found"

    def __init__(self) -> None:
        super().__init__("Nothing was found here.")


class MethodNotAllowed(Error):
    status = 405
    code = "method_not_allowed"

    def __init__(self, method: str, allowed: list[str]) -> None:
        super().__init__(f"The method {method} is not allowed here.", f"Allowed: {', '.join(allowed)}.")
        self.allowed = allowed


class Forbidden(Error):
    status = 403
    code = "forbidden"


class ServerError(Error):
    code = "server_error"


def handle(exception: Exception, request: HttpRequest) -> Response:
    """The answer to an exception that a view raised. An unknown one is logged and becomes a 500."""
    error = as_error(exception)
    if error is None:
        error = _unexpected(request)
    response = Response(body(error), status=error.status)
    if isinstance(error, Unauthenticated):
        response["WWW-Authenticate"] = "Bearer"
    if isinstance(error, MethodNotAllowed):
        response["Allow"] = ", ".join(error.allowed)
    retry_after = getattr(error, "retry_after", None)
    if retry_after is not None:
        response["Retry-After"] = str(retry_after)
    return response


def body(error: Error) -> dict[str, Any]:
    answer: dict[str, Any] = {"message": error.message}
    if error.status == Invalid.status:
        # Programs look for it in every 422: it is empty where no field is to blame.
        answer["errors"] = error.errors if isinstance(error, Invalid) else {}
    if error.hint:
        answer["hint"] = error.hint
    answer["error"] = {"code": error.code, "message": error.message, "status": error.status}
    return answer


def as_error(exception: Exception) -> Error | None:
    """The same failure in the project's own error tree; None for one that nobody foresaw."""
    if isinstance(exception, Error):
        return exception
    if isinstance(exception, ValidationError):
        return Invalid(_model_errors(exception))
    if isinstance(exception, exceptions.ValidationError):
        return Invalid(flatten(exception.detail))
    if isinstance(exception, Http404):
        return NotFound()
    if isinstance(exception, PermissionDenied):
        return Forbidden("This action is not allowed.")
    return None


def _unexpected(request: HttpRequest) -> Error:
    logger.exception("%s %s failed", request.method, request.path)
    got_request_exception.send(sender=None, request=request)
    return ServerError(
        "Something went wrong on our side.", "Try again; the server's log tells more under X-Request-ID."
    )


def _model_errors(exception: ValidationError) -> dict[str, list[str]]:
    if not hasattr(exception, "error_dict"):
        return {"body": exception.messages}
    errors: dict[str, list[str]] = {}
    for field, failures in exception.error_dict.items():
        for failure in failures:
            name = _unique_field(failure) if field == NON_FIELD_ERRORS else field
            errors.setdefault(name, []).append(model_text(name, failure))
    return errors


def _unique_field(failure: ValidationError) -> str:
    """A pair that must be unique in an organization is an error of its last field, for example the name."""
    pair = (failure.params or {}).get("unique_check") if failure.code == "unique_together" else None
    return str(pair[-1]) if pair else "body"


def flatten(detail: Any, name: str = "") -> dict[str, list[str]]:
    """Nested errors with dotted names: `{"names": {0: ["..."]}}` becomes `{"names.0": ["..."]}`."""
    if isinstance(detail, dict):
        pairs: list[tuple[Any, Any]] = list(detail.items())
    elif isinstance(detail, list) and any(isinstance(item, dict | list) for item in detail):
        pairs = list(enumerate(detail))
    else:
        texts = detail if isinstance(detail, list) else [detail]
        return {name or "body": [str(text) for text in texts]} if texts else {}
    flat: dict[str, list[str]] = {}
    for key, value in pairs:
        part = "body" if key == "non_field_errors" else str(key)
        flat |= flatten(value, f"{name}.{part}" if name else part)
    return flat
