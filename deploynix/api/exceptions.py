"""Error bodies: `message` and, for bad input, `errors`; besides `error: {code, message, status}`."""

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response

from deploynix.errors import Error, Invalid, Throttled

_CODES = {
    400: "bad_request",
    401: "authentication_required",
    403: "insufficient_permissions",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    415: "unsupported_media_type",
    429: "rate_limited",
}


def handle(exception: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler; None lets what is unknown become a 500."""
    error = _as_error(exception)
    if error is None:
        return None
    response = Response(body(error), status=error.status)
    if isinstance(error, Throttled):
        response["Retry-After"] = str(error.retry_after)
    if error.status == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


def body(error: Error) -> dict[str, Any]:
    answer: dict[str, Any] = {"message": error.message}
    if isinstance(error, Invalid):
        answer["errors"] = error.errors
    if error.hint:
        answer["hint"] = error.hint
    answer["error"] = {"code": error.code, "message": error.message, "status": error.status}
    return answer


def _as_error(exception: Exception) -> Error | None:
    if isinstance(exception, Error):
        return exception
    if isinstance(exception, ValidationError):
        return Invalid(_django_errors(exception))
    if isinstance(exception, exceptions.ValidationError):
        return Invalid(flatten(exception.detail))
    if isinstance(exception, Http404):
        return _plain(404, "Nothing was found here.")
    if isinstance(exception, PermissionDenied):
        return _plain(403, "This action is not allowed.")
    if isinstance(exception, exceptions.ParseError):
        return Invalid({"body": [str(exception.detail)]})
    if isinstance(exception, exceptions.APIException):
        return _plain(exception.status_code, str(exception.detail))
    return None


def _plain(status: int, message: str) -> Error:
    error = Error(message)
    error.status, error.code = status, _CODES.get(status, "error")
    return error


def _django_errors(exception: ValidationError) -> dict[str, list[str]]:
    if not hasattr(exception, "error_dict"):
        return {"body": exception.messages}
    return {("body" if name == "__all__" else name): texts for name, texts in exception.message_dict.items()}


def flatten(detail: Any, name: str = "") -> dict[str, list[str]]:
    """Nested errors with dotted names: `{"names": {0: ["..."]}}` becomes `{"names.0": ["..."]}`."""
    if isinstance(detail, dict):
        pairs: list[tuple[Any, Any]] = list(detail.items())
    elif isinstance(detail, list) and any(isinstance(item, dict | list) for item in detail):
        pairs = list(enumerate(detail))
    else:
        texts = detail if isinstance(detail, list) else [detail]
        return {name or "body": [str(text) for text in texts]}
    flat: dict[str, list[str]] = {}
    for key, value in pairs:
        part = "body" if key == "non_field_errors" else str(key)
        flat |= flatten(value, f"{name}.{part}" if name else part)
    return flat
