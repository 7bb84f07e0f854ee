"""Reads the body of a request."""

from typing import Any

import orjson
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest

from deploynix.errors import Error, Invalid

MEDIA_TYPE = "application/json"


class UnsupportedMediaType(Error):
    status = 415
    code = "unsupported_media_type"


class TooLarge(Error):
    status = 413
    code = "payload_too_large"


def read_body(request: HttpRequest) -> dict[str, Any]:
    """The JSON object that was sent; an empty body is an empty object.

    Raises UnsupportedMediaType for a body of another type, TooLarge, and Invalid for what is no JSON object.
    """
    try:
        body = request.body
    except RequestDataTooBig as error:
        raise TooLarge("The body is too large.") from error
    if not body.strip():
        return {}
    if request.content_type != MEDIA_TYPE:
        raise UnsupportedMediaType("The body must be JSON.", f"Send it with the header Content-Type: {MEDIA_TYPE}.")
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Invalid({"body": [f"The body is not valid JSON: {error}."]}) from error
    if not isinstance(data, dict):
        raise Invalid({"body": ["The body must be a JSON object."]})
    return data
