"""What comes back from a provider, held against what its documentation promises.

Adapters read answers as the vendor describes them. Whatever else comes is the provider's failure, and not ours: it
becomes an error of the one tree, at the methods of the contract.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from functools import wraps
from types import UnionType
from typing import Any
from urllib.parse import quote

from providers.errors import NotFound, Unavailable

logger = logging.getLogger(__name__)
# What reading an answer of another shape raises.
MISREAD = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class Told:
    """A dataclass of what a provider told: a field that has a plain type holds a value of it."""

    __slots__ = ()

    def __post_init__(self) -> None:
        self.check_types()

    def check_types(self) -> None:
        """Raises TypeError."""
        for field in fields(self):  # type: ignore[arg-type]
            wanted = float | int if field.type is float else field.type
            if isinstance(wanted, type | UnionType) and not isinstance(getattr(self, field.name), wanted):
                raise TypeError(f"{field.name} is of another type")


def text(value: Any) -> str:
    """Raises TypeError for what is none."""
    if not isinstance(value, str):
        raise TypeError("a text is of another type")
    return value


@contextmanager
def reading(label: str) -> Iterator[None]:
    """Inside, an answer of another shape becomes Unavailable."""
    try:
        yield
    except MISREAD as error:
        logger.warning("%s answered something unexpected", label, exc_info=True)
        raise Unavailable(f"{label} answered something that was not expected.") from error


def read_safely(method: Callable[..., Any]) -> Callable[..., Any]:
    """The method of a provider, whose answers are read inside `reading`, also those that it yields one by one."""

    @wraps(method)
    def call(self: Any, *args: Any, **options: Any) -> Any:
        with reading(self.label):
            found = method(self, *args, **options)
        return _each(self.label, found) if isinstance(found, Iterator) else found

    return call


def _each(label: str, found: Iterator[Any]) -> Iterator[Any]:
    with reading(label):
        yield from found


def segment(name: str) -> str:
    """One step of an address, which leads nowhere else. Raises NotFound for a name that would."""
    if name in ("", ".", ".."):
        raise NotFound("There is nothing of this name.")
    return quote(name, safe="")
