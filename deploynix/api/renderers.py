from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from rest_framework.renderers import BaseRenderer


def _default(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


class JSONRenderer(BaseRenderer):
    """JSON by orjson. Times are ISO 8601 in UTC, to the second, with `Z`."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        if data is None:
            return b""
        options = orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS | orjson.OPT_NAIVE_UTC
        return orjson.dumps(data, default=_default, option=options)


def timestamp(value: datetime | None) -> str | None:
    """A time as the API writes it, for example `2026-04-16T10:30:00Z`."""
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if value else None
