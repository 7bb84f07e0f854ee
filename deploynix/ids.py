"""Identifiers: ULIDs, 26 characters, which sort by the time they were made."""

from typing import Any

from django.db import models
from ulid import ULID


def new_id() -> str:
    """A fresh ULID, for example `01J9Z3KQ5W8V0N2M4P6R8T0VXY`."""
    return str(ULID())


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
