"""Every operation of the API, as the URL resolver knows it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from deploynix.api.middleware import PREFIX
from deploynix.api.operations import operation_of

_PLACE = re.compile(r"<(?:[^:>]+:)?([^>]+)>")


@dataclass(frozen=True, slots=True)
class Route:
    """`ability` is what the view declares for the method: an ability, ANY_TOKEN or PUBLIC."""

    method: str
    path: str
    ability: str
    summary: str
    tag: str


@cache
def api_routes() -> tuple[Route, ...]:
    """Sorted by path."""
    routes = [
        Route(method, spoken(path), ability, operation_of(getattr(view, method.lower())).summary, view.tag)
        for path, view in _views(get_resolver().url_patterns, "")
        for method, ability in view.abilities.items()
    ]
    return tuple(sorted(routes, key=lambda route: (route.path, route.method)))


def spoken(pattern: str) -> str:
    """A pattern of the URL resolver as the documentation writes it: `/api/v1/servers/{server}`."""
    return "/" + _PLACE.sub(r"{\1}", pattern)


def _views(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _views(pattern.url_patterns, path)
        elif path.startswith(PREFIX.removeprefix("/")) and hasattr(view := pattern.callback, "cls"):
            yield path, view.cls
