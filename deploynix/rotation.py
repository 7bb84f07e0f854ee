"""Every place that holds something encrypted under FERNET_KEYS, and encrypting it anew under the first of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.apps import apps
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError
from django.db.models import BinaryField, ExpressionWrapper, F, Model, QuerySet, Value

from deploynix.fields import ENCRYPTED_FIELDS, EncryptedTextField

BATCH = 500
SHOWN = 5
WRONG_KEYS = "What is stored in {column} was encrypted under a key that FERNET_KEYS does not hold."
WRONG_KEYS_HINT = "Put that key back into FERNET_KEYS, after the new one. Without it the stored secrets are lost."
Renew = Callable[[bytes], bytes]


class Column:
    """A column whose values are encrypted."""

    def __init__(self, model: type[Model], name: str) -> None:
        self.model, self.name = model, name

    def __str__(self) -> str:
        return f"{self.model._meta.label}.{self.name}"

    def rows(self) -> QuerySet[Any]:
        """Of `raw`, which is what the database holds."""
        raw = ExpressionWrapper(F(self.name), output_field=BinaryField())
        return self.model._base_manager.annotate(raw=raw).exclude(raw=None)

    def renewed(self, raw: Any, renew: Renew) -> Any:
        """What `raw` becomes when each token in it goes through `renew`."""
        return renew(bytes(raw))

    def replace(self, pk: Any, old: Any, new: Any) -> None:
        """Nothing is written where somebody else has just changed the row: that is under the first key, then."""
        self.rows().filter(pk=pk, raw=old).update(**{self.name: Value(new, output_field=BinaryField())})


class JsonColumn(Column):
    """A column of JSON objects, some of whose texts are encrypted: those under `names`, one or a list of them."""

    def __init__(self, model: type[Model], name: str, names: frozenset[str]) -> None:
        super().__init__(model, name)
        self.names = names

    def rows(self) -> QuerySet[Any]:
        return self.model._base_manager.annotate(raw=F(self.name))

    def renewed(self, raw: Any, renew: Renew) -> Any:
        def each(value: Any) -> Any:
            return [each(item) for item in value] if isinstance(value, list) else renew(value.encode()).decode()

        return {name: each(value) if name in self.names else value for name, value in raw.items()}

    def replace(self, pk: Any, old: Any, new: Any) -> None:
        self.model._base_manager.filter(pk=pk, **{self.name: old}).update(**{self.name: new})


_registered: list[Column] = []


def register_column(column: Column) -> None:
    """For what is encrypted, but in no field of `deploynix.fields`."""
    _registered.append(column)


def columns() -> Iterator[Column]:
    for model in apps.get_models():
        for each in model._meta.local_fields:
            if isinstance(each, ENCRYPTED_FIELDS):
                yield Column(model, each.name)
    yield from _registered


@dataclass
class Outcome:
    """What became of the rows of one column; `unreadable` are those that no key opens, by their ids."""

    column: Column
    renewed: int = 0
    current: int = 0
    unreadable: list[Any] = field(default_factory=list)

    def __str__(self) -> str:
        text = f"{self.column}: {self.renewed} encrypted anew, {self.current} were already"
        if not self.unreadable:
            return text
        named = ", ".join(map(str, self.unreadable[:SHOWN]))
        return f"{text}, {len(self.unreadable)} not readable ({named}{', ...' if len(self.unreadable) > SHOWN else ''})"


def rotate(column: Column, size: int = BATCH) -> Outcome:
    """Encrypts the column anew, `size` rows at a time, each row in a transaction of its own: what was done stays done
    when it is stopped, and is passed over by the next run."""
    newest, keys = _keys()
    renewing = _renewing(newest, keys)
    outcome, after = Outcome(column), None
    while rows := list(_after(column, after)[:size]):
        for pk, raw in rows:
            _renew_row(column, pk, raw, renewing, outcome)
        after = rows[-1][0]
    return outcome


def unreadable_column() -> Column | None:
    """A column whose oldest or newest row no key opens."""
    _, keys = _keys()
    for column in columns():
        try:
            rows = [
                row for order in ("pk", "-pk") for row in column.rows().order_by(order).values_list("pk", "raw")[:1]
            ]
        except DatabaseError:
            # Its migration has not been applied: there is nothing in it.
            continue
        try:
            for _, raw in rows:
                column.renewed(raw, keys.decrypt)
        except InvalidToken:
            return column
    return None


def _keys() -> tuple[Fernet, MultiFernet]:
    ours = [Fernet(key) for key in EncryptedTextField().fernet_keys]
    return ours[0], MultiFernet(ours)


def _renewing(newest: Fernet, keys: MultiFernet) -> Renew:
    def renew(token: bytes) -> bytes:
        try:
            newest.decrypt(token)
        except InvalidToken:
            return keys.rotate(token)
        return token

    return renew


def _after(column: Column, pk: Any) -> QuerySet[Any, Any]:
    rows = column.rows() if pk is None else column.rows().filter(pk__gt=pk)
    return rows.order_by("pk").values_list("pk", "raw")


def _renew_row(column: Column, pk: Any, raw: Any, renew: Renew, outcome: Outcome) -> None:
    try:
        new = column.renewed(raw, renew)
    except InvalidToken:
        outcome.unreadable.append(pk)
        return
    if new == raw:
        outcome.current += 1
        return
    column.replace(pk, raw, new)
    outcome.renewed += 1


@register(Tags.database)
def check_keys(databases: Any = None, **_: Any) -> list[CheckMessage]:
    column = unreadable_column() if databases else None
    return [Error(WRONG_KEYS.format(column=column), hint=WRONG_KEYS_HINT, id="deploynix.E001")] if column else []
