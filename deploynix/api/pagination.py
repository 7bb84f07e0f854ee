"""Pages of a list: `data`, `meta` and `links`, read by one query."""

import inspect
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from deploynix.actor import Actor
from deploynix.api.serializers import Output
from deploynix.errors import Invalid
from deploynix.expressions import RowCount
from deploynix.prepared import SKIP, Parameter, Prepared

PER_PAGE = 15
MOST_PER_PAGE = 100
# Far beyond any list, and far below where an offset would no longer fit into the database's integers.
LAST_PAGE = 10**9
# Totals are exact up to here; counting on would make every page of a long list slow.
COUNTED = 10_000
TOTAL_LIFE = 60.0
TOTAL = "page_total"


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


def read_page(source: "Rows | ListedRows", page: Page) -> tuple[list[dict[str, Any]], int]:
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


def _read_known(source: "Rows | ListedRows", page: Page, total: int) -> list[dict[str, Any]]:
    left = total - page.start
    if left <= 0:
        return []
    if page.start <= total // 2:
        return source.read(page.start, page.size)
    return source.read(max(0, left - page.size), min(left, page.size), reverse=True)


def _total(source: "Rows | ListedRows", rows: list[dict[str, Any]], page: Page) -> int:
    if not rows and page.number == 1:
        return 0
    total: int = rows[0][TOTAL] if rows else source.count()
    if total > COUNTED:
        total = source.count()
        _totals.put(source.key, total)
    return total


class Rows:
    """A queryset, read by pages."""

    def __init__(self, queryset: QuerySet[Any], output: type[Output]) -> None:
        self._queryset = queryset
        self._output = output

    def read(self, skip: int, take: int, *, reverse: bool = False, counted: bool = False) -> list[dict[str, Any]]:
        return list(_window(self._queryset, self._output, slice(skip, skip + take), reverse, counted))

    def count(self) -> int:
        return self._queryset.count()

    @property
    def key(self) -> Hashable:
        sql, params = self._queryset.order_by().values("pk").query.sql_with_params()
        return sql, str(params)


class Listing:
    """A list whose SQL is made once: `build` makes the queryset from an actor and from texts, by name.

    It may read the actor's organization and user, not the abilities; nobody who is limited to some servers and sites
    reads it in this way.
    """

    def __init__(self, output: type[Output], build: Callable[..., QuerySet[Any]]) -> None:
        self.output = output
        self.build = build
        self._names = tuple(inspect.signature(build).parameters)[1:]
        self._prepared: dict[Hashable, Prepared] = {}

    def prepared(self, actor: Actor, window: slice, *, reverse: bool = False, counted: bool = False) -> Prepared:
        """The query of one shape. Those of every size are apart: PostgreSQL keeps a plan where it knows the size."""
        shape = window.start or 0, window.stop, reverse, counted
        if shape not in self._prepared:
            self._prepared[shape] = self._prepare(actor, window, reverse, counted)
        return self._prepared[shape]

    def _prepare(self, actor: Actor, window: slice, reverse: bool, counted: bool) -> Prepared:
        def build() -> QuerySet[Any, dict[str, Any]]:
            texts = {name: Parameter(name) for name in self._names}
            return _window(self.build(_anybody(actor), **texts), self.output, window, reverse, counted)

        return Prepared(build)


class ListedRows:
    """A listing for one actor, read by pages."""

    def __init__(self, listing: Listing, actor: Actor, **texts: str) -> None:
        self._listing = listing
        self._actor = actor
        self._texts = texts
        self._values = {"organization": actor.organization.pk, "user": actor.user.pk if actor.user else None, **texts}

    def read(self, skip: int, take: int, *, reverse: bool = False, counted: bool = False) -> list[dict[str, Any]]:
        start = SKIP if skip else 0
        prepared = self._listing.prepared(self._actor, slice(start, start + take), reverse=reverse, counted=counted)
        return prepared.rows(skip=skip, **self._values)

    def count(self) -> int:
        return self._listing.build(self._actor, **self._texts).count()

    @property
    def key(self) -> Hashable:
        """One for all whose list it is: for a whole organization where the query does not ask for the user."""
        asked = self._listing.prepared(self._actor, slice(PER_PAGE)).parameters
        return id(self._listing), *((name, value) for name, value in self._values.items() if name in asked)


class _NoAbilities(frozenset[str]):
    def __contains__(self, ability: object) -> bool:
        raise LookupError("A listing is prepared once for everybody: it must not depend on abilities.")


def _anybody(actor: Actor) -> Actor:
    """An actor whose ids are parameters."""
    return replace(
        actor,
        organization=type(actor.organization)(pk=Parameter("organization")),
        user=type(actor.user)(pk=Parameter("user")) if actor.user else None,
        abilities=_NoAbilities(),
    )


def _window(
    queryset: QuerySet[Any], output: type[Output], window: slice, reverse: bool, counted: bool
) -> QuerySet[Any, dict[str, Any]]:
    """The rows of a page, found by their keys alone.

    What lies before the page is skipped in the index, and no other order is ever tempting: PostgreSQL would otherwise
    walk back through the rows of everybody for those of an organization that has few of the newest.
    """
    if not queryset.query.order_by:
        queryset = queryset.order_by("-pk")
    keys = queryset.values("pk")
    rows = queryset.filter(pk__in=keys.reverse()[window] if reverse else keys[window])
    if not counted:
        return rows.values(*output.columns())
    total = RowCount(queryset.order_by().values("pk")[: COUNTED + 1])
    counted_rows: QuerySet[Any, dict[str, Any]] = rows.annotate(**{TOTAL: total}).values(*output.columns(), TOTAL)
    return counted_rows


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
