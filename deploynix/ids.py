"""Identifiers: ULIDs, 26 characters, which sort by the time they were made."""

from datetime import datetime
from typing import Any

from django.db import models
from ulid import ULID

# A ULID is 48 bits of time, ten characters, and sixteen of randomness: https://github.com/ulid/spec
_TIME_LENGTH = 10


def new_id() -> str:
    """A fresh ULID, for example `01J9Z3KQ5W8V0N2M4P6R8T0VXY`."""
    return str(ULID())


def first_id_at(moment: datetime) -> str:
    """The smallest id that can be made at `moment`, a time with its zone, or after it."""
    return f"{str(ULID.from_timestamp(moment.timestamp()))[:_TIME_LENGTH]:0<26}"


class IdField(models.CharField[str, str]):
    """The primary key of every model."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.update(max_length=26, primary_key=True, default=new_id, editable=False)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        for implied in ("max_length", "primary_key", "default", "editable"):
            kwargs.pop(implied, None)
        return name, path, args, kwargs
