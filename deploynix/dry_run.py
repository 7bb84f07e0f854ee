"""Dry runs: what a test key asks for is done for real, in a transaction that is rolled back.

Whatever does not belong to the transaction has a door that asks here first: the broker, mail and SSH.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import connection, transaction

# What the audit log was told during the dry run; None outside of one.
_told: ContextVar[list[str] | None] = ContextVar("dry_run", default=None)


def is_dry_run() -> bool:
    """Whether what is done now will be undone."""
    return _told.get() is not None


def tell(event: str) -> None:
    """Notes an audit event, which is undone with all the rest."""
    told = _told.get()
    if told is not None:
        told.append(event)


@contextmanager
def undone(told: list[str]) -> Iterator[None]:
    """Rolls back what is written inside, and appends the names of its audit events to `told`."""
    context = _told.set(told)
    try:
        with transaction.atomic():
            _check_at_once()
            yield
            transaction.set_rollback(True)
    finally:
        _told.reset(context)


def _check_at_once() -> None:
    """Constraints that wait for the commit would never be looked at."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def check_at_the_end() -> None:
    """Raises IntegrityError where a commit would, on SQLite, which cannot be told to look at each statement."""
    if connection.vendor == "sqlite":
        connection.check_constraints()
