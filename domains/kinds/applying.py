"""Puts the records of a connection in place with a DNS credential, and waits until they are served."""

from collections.abc import Iterator
from contextlib import suppress

from django.utils import timezone

from deploynix.errors import Conflict
from domains import lookup, verification
from domains.actions.connections import APPLY
from domains.conflicts import compare
from domains.conflicts import keep as keep_conflicts
from domains.kinds.base import FOUND_CONFLICTS, ConnectionKind, connection_of, keep, waits
from domains.models import Connection, RecordConflict, RecordType, State, WantedRecord
from domains.places import Place, place_of
from domains.states import move
from domains.zones import writing
from jobs.kinds import Step, register
from jobs.run import Run

# Providers tell their name servers within a minute or two, as a rule.
SEEN_SECONDS = 600.0


@register
class ApplyConnection(ConnectionKind):
    name = APPLY
    steps = (
        Step("find", "Find the zone"),
        Step("compare", "Look for conflicts"),
        Step("put", "Put the records in place"),
        Step("verify", "Ask the name servers"),
    )

    def find(self, run: Run) -> None:
        connection = connection_of(run)
        with run.write():
            move(run.actor, connection, State.APPLYING)
        place = place_of(connection, run.line)
        require_no_alias_of(place.zone.name, connection)
        with run.write():
            rows = Connection.objects.filter(pk=connection.pk)
            rows.update(credential=place.credential, apex=place.zone.name)
        run.line(f"{place.credential} holds the zone {place.zone.name}.")

    def compare(self, run: Run) -> None:
        connection = connection_of(run)
        place = place_of(connection, run.line)
        require_alone(connection)
        found = compare(connection, lambda name, kind: values_at(place, name, kind))
        with run.write():
            keep_conflicts(connection, found)
            if waits(connection):
                move(run.actor, connection, State.PENDING, FOUND_CONFLICTS)
        for conflict in found:
            run.line(f"{conflict.name} has {conflict.type} {conflict.value}.")

    def put(self, run: Run) -> None:
        connection = connection_of(run)
        if waits(connection):
            return
        place = place_of(connection, run.line)
        with writing(run, place.credential, place.zone):
            conflicts = list(connection.conflicts.filter(removed_at=None))
            # What an alias is part of cannot stand there together; the rest changes without a gap.
            for conflict in conflicts:
                if blocks(conflict, connection):
                    remove(run, place, conflict)
            for record in connection.records.all():
                run.check()
                put(run, place, record)
            for conflict in connection.conflicts.filter(removed_at=None):
                remove(run, place, conflict)

    def verify(self, run: Run) -> None:
        connection = connection_of(run)
        if waits(connection):
            return
        with run.write():
            move(run.actor, connection, State.VERIFYING)
        view = verification.wait(connection, seconds=SEEN_SECONDS, should_stop=run.stopping.is_set, said=run.line)
        with run.write():
            keep(run, connection, view, State.FAILING)


def require_no_alias_of(zone: str, connection: Connection) -> None:
    """Raises Conflict: RFC 1034, section 3.6.2, as the apex has an SOA and name servers."""
    if any(record.type == RecordType.CNAME and record.full_name == zone for record in connection.records.all()):
        raise Conflict(
            f"{zone} is a whole zone, which cannot be an alias (CNAME).",
            "Connect it by its addresses (A, AAAA), or connect a name below it, such as www.",
        )


def require_alone(connection: Connection) -> None:
    """Raises Conflict for mail servers or a delegation where an alias shall stand: nobody wants these overwritten."""
    names = [record.full_name for record in connection.records.all() if record.type == RecordType.CNAME]
    if not names:
        return
    # Whoever does not answer now is asked again in the end.
    with suppress(lookup.LookupFailed):
        authority = lookup.authority_of(connection.domain)
        for name in names:
            for kind in ("MX", "NS"):
                if any(answer.values for answer in lookup.answers(authority, name, kind)):
                    raise Conflict(
                        f"{name} has {kind} records, beside which no alias (CNAME) can stand.",
                        "Remove them at the DNS provider if they are not needed, then apply again.",
                    )


def values_at(place: Place, name: str, kind: str) -> Iterator[tuple[str, int]]:
    for found in place.adapter.records(place.zone, name, kind):
        yield found.value, found.ttl


def blocks(conflict: RecordConflict, connection: Connection) -> bool:
    aliases = {record.full_name for record in connection.records.all() if record.type == RecordType.CNAME}
    return conflict.type == RecordType.CNAME or conflict.name in aliases


def put(run: Run, place: Place, record: WantedRecord) -> None:
    """What is there already is somebody else's, unless it is on record that we began to put it there."""
    if any(value == record.value for value, _ in values_at(place, record.full_name, record.type)):
        return
    with run.write():
        WantedRecord.objects.filter(pk=record.pk).update(put_at=timezone.now())
    place.adapter.ensure_record(place.zone, record.full_name, record.type, record.value, record.ttl)
    run.line(f"Put {record.full_name} {record.type} {record.value} in place.")


def remove(run: Run, place: Place, conflict: RecordConflict) -> None:
    run.check()
    place.adapter.remove_record(place.zone, conflict.name, conflict.type, conflict.value)
    with run.write():
        RecordConflict.objects.filter(pk=conflict.pk).update(removed_at=timezone.now())
    run.line(f"Overwrote {conflict}.")
