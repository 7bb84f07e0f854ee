"""JSON answers, written by orjson."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from django.http import HttpResponse

_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS | orjson.OPT_NAIVE_UTC


def _default(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else str(value)


def dumps(payload: Any) -> bytes:
    """JSON in UTF-8. Times are ISO 8601 in UTC, to the second, with `Z`: `2026-04-16T10:30:00Z`."""
    return orjson.dumps(payload, default=_default, option=_OPTIONS)


def timestamp(value: datetime | None) -> str | None:
    """A time as the API writes it, for example `2026-04-16T10:30:00Z`."""
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if value else None


class Response(HttpResponse):
    """An answer of the API; without a payload its body is empty.

    `once` holds secrets, by field, that this answer shows and that a replay of the request must not. `encoded` is a
    body that is JSON already.
    """

    def __init__(
        self,
        payload: dict[str, Any] | None = None,
        status: int = 200,
        once: Mapping[str, Any] | None = None,
        encoded: bytes = b"",
    ) -> None:
        if payload is not None:
            encoded = dumps({**payload, **once} if once else payload)
        self._kept = payload if once else None
        super().__init__(encoded, content_type="application/json", status=status)
        self["Cache-Control"] = "no-store"

    @property
    def kept(self) -> str:
        """The body as it may be kept and sent again: without what is shown once."""
        return dumps(self._kept).decode() if self._kept is not None else self.content.decode()
