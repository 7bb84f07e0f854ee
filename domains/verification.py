"""What a domain's own name servers say about the records that are wanted."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

from domains import lookup
from domains.lookup import Answer, Authority
from domains.models import Connection, RecordType, WantedRecord

LONGEST_SIGHT = 500
ADDRESSES = (RecordType.A, RecordType.AAAA)


@dataclass(frozen=True, slots=True)
class Sight:
    """`is_seen`: every name server that can be reached from here answers the value. `text` says what else is so."""

    record: WantedRecord
    is_seen: bool
    text: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """`servers` are the names of the zone's. `tokens` are all values at the name of the ownership record, of whomever
    they are."""

    apex: str
    servers: Sequence[str]
    sights: Sequence[Sight]
    tokens: frozenset[str]

    @property
    def is_whole(self) -> bool:
        return all(sight.is_seen for sight in self.sights)

    @property
    def missing(self) -> str:
        texts = [sight.text for sight in self.sights if not sight.is_seen]
        more = f" And {len(texts) - 1} more." if len(texts) > 1 else ""
        return f"{texts[0]}{more}" if texts else ""


def look(connection: Connection) -> View:
    """Raises LookupFailed where nobody knows who serves the domain, and Refused in a dry run."""
    authority = lookup.authority_of(connection.domain)
    seen = [(record, _reachable(authority, record)) for record in connection.records.all()]
    tokens = {value for record, found in seen if record.is_ownership for each in found for value in each.values or ()}
    servers = [server.name for server in authority.servers]
    return View(authority.zone, servers, [_sight(record, found) for record, found in seen], frozenset(tokens))


def wait(
    connection: Connection, *, seconds: float, should_stop: Callable[[], bool], said: Callable[[str], None]
) -> View:
    """As `look`, once all is there or the time is over. Raises Stopped besides."""
    deadline = monotonic() + seconds
    types = {record.type for record in connection.records.all()}
    for kind in sorted(types):
        with suppress(lookup.NotSeen):
            lookup.wait_until_seen(
                values_by_name(connection, kind),
                seconds=max(0.0, deadline - monotonic()),
                should_stop=should_stop,
                said=said,
                type=kind,
            )
    return look(connection)


def values_by_name(connection: Connection, kind: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for record in connection.records.all():
        if record.type == kind:
            found.setdefault(record.full_name, []).append(record.value)
    return found


def served_values(authority: Authority, name: str, kind: str) -> list[tuple[str, int]]:
    """Values of a name as the name servers have them; how long they may be kept is not known."""
    found = lookup.answers(authority, name, kind)
    return [(value, 0) for value in sorted({value for answer in found for value in answer.values or ()})]


def _reachable(authority: Authority, record: WantedRecord) -> list[Answer]:
    found = lookup.answers(authority, record.full_name, record.type)
    reached = [answer for answer in found if not answer.is_out_of_reach]
    return reached or found


def _sight(record: WantedRecord, found: Sequence[Answer]) -> Sight:
    lacking = [answer for answer in found if answer.values is None or record.value not in answer.values]
    if not found or lacking:
        return Sight(record, False, _said(record, lacking[0] if lacking else None))
    others = sorted({value for answer in found for value in answer.values or ()} - _wanted_beside(record))
    is_shared = record.type in ADDRESSES and others
    return Sight(record, True, f"It has {', '.join(others)} as well."[:LONGEST_SIGHT] if is_shared else "")


def _wanted_beside(record: WantedRecord) -> set[str]:
    own = record.connection.records.all()
    return {other.value for other in own if (other.type, other.name) == (record.type, record.name)}


def _said(record: WantedRecord, answer: Answer | None) -> str:
    if answer is None:
        return "The domain has no name servers."
    if answer.values is None:
        return answer.error[:LONGEST_SIGHT]
    shown = f"shows {', '.join(answer.values)}" if answer.values else "has no such record"
    return f"{record}: {answer.server} {shown}."[:LONGEST_SIGHT]
