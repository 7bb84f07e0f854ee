"""Pages of a list: `data`, `meta` and `links`, read by one query."""

import time
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from deploynix.api.rows import COUNTED, TOTAL, ListedRows, Rows
from deploynix.errors import Invalid

PER_PAGE = 15
MOST_PER_PAGE = 100
# Far beyond any list, and far below where an offset would no longer fit into the database's integers.
LAST_PAGE = 10**9
TOTAL_LIFE = 60.0


class Totals:
    """How long the long lists are, for TOTAL_LIFE seconds; each process keeps its own."""

    MOST = 1000

    def __init__(self) -> None:
        self._totals: dict[Hashable, tuple[float, int]] = {}

    def __bool__(self) -> bool:
        return bool(self._totals)

    def get(self, query: Hashable) -> int | None:
        until, total = self._totals.get(query, (0.0, 0))
        return total if time.monotonic() < until else None

    def put(self, query: Hashable, total: int) -> None:
        if len(self._totals) >= self.MOST:
            self._totals.clear()
        self._totals[query] = (time.monotonic() + TOTAL_LIFE, total)


_totals = Totals()


@dataclass(frozen=True, slots=True)
class Page:
    number: int
    size: int

    @property
    def start(self) -> int:
        return (self.number - 1) * self.size


def asked_page(request: HttpRequest) -> Page:
    """The page that `page` and `per_page` name. Raises Invalid, naming each parameter that is out of range."""
    errors: dict[str, list[str]] = {}
    number = _number(request, "page", 1, LAST_PAGE, errors)
    size = _number(request, "per_page", PER_PAGE, MOST_PER_PAGE, errors)
    if errors:
        raise Invalid(errors)
    return Page(number, size)


def _number(request: HttpRequest, name: str, default: int, most: int, errors: dict[str, list[str]]) -> int:
    text = request.GET.get(name)
    if text is None:
        return default
    if text.isascii() and text.isdecimal() and len(text) < 12 and 1 <= int(text) <= most:
        return int(text)
    errors[name] = [f"The {name.replace('_', ' ')} field must be an integer from 1 to {most}."]
    return default


def read_page(source: Rows | ListedRows, page: Page) -> tuple[list[dict[str, Any]], int]:
    """The page's rows and the total, in one query.

    A total beyond COUNTED is counted once a minute, and the second half of such a list is read from its end, so that
    the last page costs what the first does.
    """
    known = _totals.get(source.key) if _totals else None
    if known is not None:
        return _read_known(source, page, known), known
    rows = source.read(page.start, page.size, counted=True)
    total = _total(source, rows, page)
    for row in rows:
        del row[TOTAL]
    return rows, total


def _read_known(source: Rows | ListedRows, page: Page, total: int) -> list[dict[str, Any]]:
    left = total - page.start
    if left <= 0:
        return []
    if page.start <= total // 2:
        return source.read(page.start, page.size)
    return source.read(max(0, left - page.size), min(left, page.size), reverse=True)


def _total(source: Rows | ListedRows, rows: list[dict[str, Any]], page: Page) -> int:
    if not rows and page.number == 1:
        return 0
    total: int = rows[0][TOTAL] if rows else source.count()
    if total > COUNTED:
        total = source.count()
        _totals.put(source.key, total)
    return total


def links(request: HttpRequest, page: Page, last: int) -> dict[str, str | None]:
    """Addresses of the neighbouring pages; every other parameter of the request is kept."""
    others = request.GET.copy()
    others.pop("page", None)
    rest = f"&{others.urlencode()}" if others else ""
    base = f"{request.scheme}://{request.get_host()}{request.path}?page="

    def address(number: int) -> str:
        return f"{base}{number}{rest}"

    return {
        "first": address(1),
        "last": address(last),
        "next": address(page.number + 1) if page.number < last else None,
        "prev": address(page.number - 1) if page.number > 1 else None,
    }


def envelope(request: HttpRequest, page: Page, rows: list[dict[str, Any]], total: int) -> dict[str, Any]:
    last = max(1, -(-total // page.size))
    meta = {
        "current_page": page.number,
        "from": page.start + 1 if rows else None,
        "last_page": last,
        "per_page": page.size,
        "to": page.start + len(rows) if rows else None,
        "total": total,
    }
    return {"data": rows, "meta": meta, "links": links(request, page, last)}
