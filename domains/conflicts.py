"""Values of others that stand in the way of what is wanted."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.utils import timezone

from domains.models import Connection, RecordConflict, RecordType, WantedRecord

# The values of a name and type, each with its TTL; 0 where that is not known.
Read = Callable[[str, str], Iterable[tuple[str, int]]]
ADDRESSES = frozenset({RecordType.A, RecordType.AAAA})


@dataclass(frozen=True, slots=True)
class Found:
    name: str
    type: str
    value: str
    ttl: int


def compare(connection: Connection, read: Read) -> list[Found]:
    """Looks at each name that is wanted, and at those types alone that can be in the way."""
    names: dict[str, list[WantedRecord]] = {}
    for record in connection.records.all():
        names.setdefault(record.full_name, []).append(record)
    return [found for name, wanted in names.items() for found in _at(name, wanted, read)]


def keep(connection: Connection, found: Iterable[Found]) -> None:
    """Makes the rows those that were found: what somebody has confirmed stays so, what has gone is forgotten."""
    open_rows = {(row.name, row.type, row.value): row for row in connection.conflicts.filter(removed_at=None)}
    for each in found:
        row = open_rows.pop((each.name, each.type, each.value), None)
        if row is None:
            connection.conflicts.create(name=each.name, type=each.type, value=each.value, ttl=each.ttl)
    gone = [row.pk for row in open_rows.values()]
    # One that was confirmed may have been taken away by an attempt that did not live to say so.
    RecordConflict.objects.filter(pk__in=gone, confirmed_at__isnull=False).update(removed_at=timezone.now())
    RecordConflict.objects.filter(pk__in=gone, confirmed_at=None).delete()


def _at(name: str, wanted: list[WantedRecord], read: Read) -> Iterator[Found]:
    types = {record.type for record in wanted}
    own = {(record.type, record.value) for record in wanted}
    for kind in RecordType:
        if stands_in_the_way(kind, types):
            there = [(value, ttl) for value, ttl in read(name, kind.value) if (kind.value, value) not in own]
            yield from (Found(name, kind.value, value, ttl) for value, ttl in there)


def stands_in_the_way(kind: str, wanted: set[str]) -> bool:
    """An alias stands alone (RFC 1034, section 3.6.2); an address beside ours leads some of the visitors elsewhere."""
    if RecordType.CNAME in {kind, *wanted}:
        return True
    return kind in ADDRESSES and bool(ADDRESSES & wanted)
