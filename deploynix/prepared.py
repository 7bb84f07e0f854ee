"""Queries whose SQL is made once. For hot paths: building and compiling a queryset takes longer than running it."""

import inspect
from collections.abc import Callable
from functools import cached_property
from typing import Any, cast

import psycopg
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet
from psycopg.abc import Loader
from psycopg.pq import Format

# Slice from here on where each run gives its own `skip`.
SKIP = 7_000_000_001

_TIMES = cast(type[Loader], psycopg.adapters.get_loader(psycopg.postgres.types["timestamptz"].oid, Format.TEXT))


class Parameter(str):
    """Stands in a queryset for a text that each run gives anew; it finds its own place in the compiled SQL."""

    __slots__ = ()


class Prepared:
    """`build` makes a `.values()` queryset from texts, by name; `rows` runs its SQL with other texts.

    The shape of the query must not depend on the values. A value that the queryset does not pass on as it is cannot
    be a parameter: LookupError names it at the first run.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Any]]) -> None:
        self._build = build
        self._names = tuple(inspect.signature(build).parameters)

    def rows(self, **values: Any) -> list[dict[str, Any]]:
        sql, parameters, names, converters = self._compiled
        bound = [values[part] if type(part) is Parameter else part for part in parameters]
        rows = [dict(zip(names, row, strict=True)) for row in _fetched(sql, bound)]
        for name, functions, expression in converters:
            for row in rows:
                for function in functions:
                    row[name] = function(row[name], expression, connection)
        return rows

    @cached_property
    def parameters(self) -> frozenset[str]:
        """The names of the values that the SQL takes."""
        _, parameters, _, _ = self._compiled
        return frozenset(part for part in parameters if type(part) is Parameter)

    @cached_property
    def _compiled(self) -> tuple[str, list[Any], list[str], list[tuple[str, Any, Any]]]:
        query = self._build(**{name: Parameter(name) for name in self._names}).query
        compiler = query.get_compiler(connection=connection)
        sql, parameters = _skipping(*compiler.as_sql())
        missing = set(self._names).difference(part for part in parameters if type(part) is Parameter)
        if missing:
            raise LookupError(f"not found in the compiled query: {', '.join(sorted(missing))}")
        names = [*query.selected] if query.selected else [*query.values_select, *query.annotation_select]
        columns = [column for column, *_ in compiler.select[: compiler.col_count]]
        found = compiler.get_converters(columns)
        return sql, parameters, names, [(names[place], *converter) for place, converter in found.items()]


def _fetched(sql: str, bound: list[Any]) -> list[tuple[Any, ...]]:
    """The rows of a query that only reads.

    A kept connection that has broken meanwhile shows here, and the query is sent again on a new one: asking each
    connection before its first use whether it still works costs as much as the query.
    """
    # Looked up once, which the connection of `django.db` does anew for each attribute.
    database = connections[DEFAULT_DB_ALIAS]
    kept = database.connection is not None and not database.in_atomic_block
    database.health_check_done = True  # type: ignore[attr-defined]
    try:
        return _fetch(database, sql, bound)
    except (InterfaceError, OperationalError):
        if not kept or database.is_usable():
            raise
        database.close()
        return _fetch(database, sql, bound)


def _fetch(database: BaseDatabaseWrapper, sql: str, bound: list[Any]) -> list[tuple[Any, ...]]:
    with _cursor(database) as cursor:
        cursor.execute(sql, bound)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _cursor(database: BaseDatabaseWrapper) -> CursorWrapper:
    """A cursor that costs less than Django's where that is possible.

    PostgreSQL keeps the plan of a statement whose values are sent beside it. Times are read by psycopg's own code,
    which is fast; Django's puts the connection's time zone on each, in Python, though they come in it.
    """
    if database.vendor != "postgresql":
        return database.cursor()
    database.ensure_connection()
    cursor: Any = psycopg.Cursor(database.connection)
    cursor.adapters.register_loader("timestamptz", _TIMES)
    return database.make_debug_cursor(cursor) if database.queries_logged else database.make_cursor(cursor)


def _skipping(sql: str, parameters: tuple[Any, ...]) -> tuple[str, list[Any]]:
    before, found, after = sql.partition(f"OFFSET {SKIP}")
    if not found:
        return sql, list(parameters)
    place = before.count("%s")
    return f"{before}OFFSET %s{after}", [*parameters[:place], Parameter("skip"), *parameters[place:]]
