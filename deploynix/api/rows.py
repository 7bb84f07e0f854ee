"""Where the rows of a page come from: a queryset, or a list whose SQL is made once."""

import inspect
from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Any

from django.db.models import QuerySet

from deploynix.actor import Actor
from deploynix.api.serializers import Output
from deploynix.expressions import RowCount
from deploynix.prepared import SKIP, Parameter, Prepared

# Totals are exact up to here; counting on would make every page of a long list slow.
COUNTED = 10_000
TOTAL = "page_total"


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
        asked = self._listing.prepared(self._actor, slice(1)).parameters
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
