"""Exporting the log is an event of its own."""

import csv
import json
from collections.abc import Iterable, Iterator

from audit.log import record
from audit.models import AuditEvent, AuditQuerySet
from deploynix.actor import Actor

COLUMNS = ("time", "event", "actor", "token", "ip", "target_type", "target_id", "target", "changes")
_BATCH = 2000
# What a spreadsheet would take for a formula: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def export_events(actor: Actor, *, events: AuditQuerySet, filters: str) -> Iterator[str]:
    """Records the export with its `filters`, and gives out the events as lines of CSV, read in batches.

    Needs audit:read.
    """
    actor.require("audit:read")
    record(actor, "audit.exported", changes={"filters": [None, filters]} if filters else None)
    return _lines(events.iterator(chunk_size=_BATCH))


class _Line:
    """A file for the csv writer, which hands back each line instead of keeping it."""

    def write(self, text: str) -> str:
        return text


def _lines(events: Iterable[AuditEvent]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield writer.writerow(COLUMNS)
    for event in events:
        yield writer.writerow([_harmless(cell) for cell in _cells(event)])


def _cells(event: AuditEvent) -> list[str]:
    time = event.created_at.isoformat(timespec="seconds").replace("+00:00", "Z")
    changes = json.dumps(event.changes, ensure_ascii=False) if event.changes else ""
    about = [event.target_type, event.target_id, event.target]
    return [time, event.event, event.actor, event.token_id, event.ip or "", *about, changes]


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
