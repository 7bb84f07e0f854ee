"""Alarms: what was promised of a row and did not come true, told to the people who can mend it.

An alarm begins with a mail and an audit row, and ends with the next success. The row has `alarmed_at`, its
organization, and mostly `alarm`, the text.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.db.models import Model, QuerySet

from audit.log import record
from deploynix.actor import system_actor
from jobs.models import Job
from jobs.warnings import WarningKind
from organizations.models import admin_addresses_of

ALARM, ALL_WELL = "alarm", "all-well"
# Of what an alarm quotes.
LONGEST_QUOTE = 500


class AlarmKind(WarningKind):
    """Mails to the owners and admins that an alarm has begun, or ended: they may change what it is about."""

    model: ClassVar[type[Model]]

    def recipients(self, job: Job) -> Sequence[str]:
        rows: QuerySet[Any] = self.model._default_manager.select_related("organization")
        row = rows.filter(pk=job.subject_id).first()
        # It may have turned again meanwhile.
        if row is None or (row.alarmed_at is not None) != (job.params["kind"] == ALARM):
            return []
        return admin_addresses_of(row.organization)


def begin_alarm(rows: QuerySet[Any], row: Any, reasons: Sequence[str], moment: datetime) -> bool:
    """Writes down why, if the row is still among `rows`; whether it had no alarm yet, so that people have to be told.
    To be called in a transaction."""
    text = "\n".join(reasons)
    rows = rows.filter(pk=row.pk)
    # Another beat may have been first.
    if not rows.filter(alarmed_at=None).update(alarm=text, alarmed_at=moment):
        rows.exclude(alarm=text).update(alarm=text)
        return False
    _record(row, "alarmed", [None, text])
    return True


def end_alarm(rows: QuerySet[Any], row: Any) -> bool:
    """Whether the row had one, so that people have to be told. To be called in a transaction."""
    if not rows.filter(pk=row.pk).exclude(alarmed_at=None).update(alarm="", alarmed_at=None):
        return False
    _record(row, "recovered", [row.alarm, None])
    return True


def quoted(text: str) -> str:
    text = text.strip()
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}..."


def _record(row: Any, what: str, change: list[Any]) -> None:
    record(system_actor(row.organization), f"{row._meta.model_name}.{what}", row, {"alarm": change})
