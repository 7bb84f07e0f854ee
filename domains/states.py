"""How a connection goes from one state to the next: on record, and told to people where it fails."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from audit.log import record
from deploynix.actor import Actor
from domains.models import Connection, State
from jobs.alarms import ALARM, ALL_WELL
from jobs.warnings import enqueue_warning

WARN = "warn_of_connection"


@transaction.atomic
def move(actor: Actor, connection: Connection, state: State, reason: str = "", **fields: Any) -> None:
    """Sets the state, and other fields with it. Failing begins with a mail, being active again ends with one."""
    row = Connection.objects.select_for_update().select_related("organization").get(pk=connection.pk)
    before, row.state, row.reason = row.state, state, reason
    for name, value in fields.items():
        setattr(row, name, value)
    if before != state:
        record(
            actor, "connection.moved", row, {"state": [before, state], **({"reason": [None, reason]} if reason else {})}
        )
    _tell_of(row)
    row.save()
    connection.refresh_from_db()


def _tell_of(connection: Connection) -> None:
    if connection.state == State.FAILING and connection.alarmed_at is None:
        connection.alarmed_at = timezone.now()
        _warn(
            connection,
            kind=ALARM,
            title=f"The domain {connection} is not connected as it should be",
            lines=[connection.reason.rstrip(".")],
            advice="Its page shows what the name servers answer. There is no other mail until all is well.",
        )
    elif connection.state == State.ACTIVE and connection.alarmed_at:
        connection.alarmed_at = None
        _warn(
            connection,
            kind=ALL_WELL,
            title=f"The domain {connection} is connected again",
            lines=["All its name servers answer the records that are wanted"],
            advice="There is nothing to do.",
        )


def _warn(connection: Connection, *, kind: str, title: str, lines: Sequence[str], advice: str) -> None:
    enqueue_warning(
        connection,
        job=WARN,
        label="Mail an alarm about a domain" if kind == ALARM else "Mail that a domain is well again",
        kind=kind,
        title=title,
        lines=lines,
        about=f"the domain {connection} of the application {connection.application}",
        advice=advice,
        page=connection.get_absolute_url(),
    )
