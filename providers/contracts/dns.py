"""The contract of DNS providers: values of one name and type, put there and taken away, neighbours left alone.

Names are absolute and without the last dot (`_acme-challenge.shop.example.com`); TXT values are plain text, without
quotes. A name may hold several values of a type, and a value that is there is never there twice.
"""

import re
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from providers.base import Findings, HttpProvider, Kind, PermissionCheck, Provider, Verdict
from providers.errors import Conflict, MissingPermission, NotFound, ProviderError

TYPES = ("TXT", "A", "AAAA", "CNAME")
PROBE_LABEL = "_deploynix-probe"
SHORTEST_TTL = 60
READ, EDIT = "zones", "records"
# RFC 1035, section 5.1: strings in quotes, and in them \DDD for a byte and \X for a character.
_STRINGS = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPES = re.compile(rb"\\([01]\d\d|2[0-4]\d|25[0-5]|.)", re.DOTALL)
WRITE_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Zone:
    """`id` is what the provider calls it in its addresses; `name` is its apex."""

    id: str
    name: str

    def label_of(self, name: str) -> str:
        """The name as it is written inside the zone: `_acme-challenge.shop`, and empty for the apex."""
        return "" if name == self.name else name.removesuffix(f".{self.name}")

    def name_of(self, label: str) -> str:
        """The other way round; providers write the apex as "@" or as nothing."""
        return self.name if label in ("", "@") else f"{label}.{self.name}"


@dataclass(frozen=True, slots=True)
class Record:
    """One value; `id` is empty where the provider keeps values of a name together."""

    name: str
    type: str
    value: str
    ttl: int = 0
    id: str = ""


class DnsProvider(Provider):
    kind = Kind.DNS
    # Providers that refuse smaller ones say what they take.
    shortest_ttl = SHORTEST_TTL

    @abstractmethod
    def zones(self) -> Iterable[Zone]:
        """All that the credential sees. Only pages ask for them: a credential need not be allowed to list."""

    @abstractmethod
    def zone_named(self, name: str) -> Zone | None:
        """The zone with this apex, asked for by name; None where the credential has none."""

    @abstractmethod
    def records(self, zone: Zone, name: str, type: str) -> Sequence[Record]:  # noqa: A002 -- its name in DNS
        """The values of a name."""

    @abstractmethod
    def ensure_record(self, zone: Zone, name: str, type: str, value: str, ttl: int = SHORTEST_TTL) -> None:  # noqa: A002
        """Adds the value, unless it is there; other values of the name stay."""

    @abstractmethod
    def remove_record(self, zone: Zone, name: str, type: str, value: str) -> None:  # noqa: A002
        """Takes the value away, if it is there; other values of the name stay."""

    def find_zone(self, fqdn: str) -> Zone:
        """The zone that holds the name: the one with the longest apex. Raises NotFound."""
        labels = fqdn.rstrip(".").lower().split(".")
        for start in range(len(labels) - 1):
            if zone := self.zone_named(".".join(labels[start:])):
                return zone
        raise NotFound(
            f"No zone at {self.label} holds {fqdn}.",
            f"Add the domain at {self.label}, or use a {self.credential} that may reach its zone.",
        )

    def verify(self) -> Findings:
        """Lists or finds a zone, and puts a TXT value there, reads it back and removes it."""
        zone, reading = self._readable_zone()
        if zone is None:
            return Findings((*reading, *self._untested_edit()))
        return Findings((*reading, self._edit_check(zone)))

    @property
    def probe_zone(self) -> str:
        """The zone that the credential is for, where it says so; else any will do."""
        return self.values.get("zone", "")

    def _readable_zone(self) -> tuple[Zone | None, tuple[PermissionCheck, ...]]:
        wanted = self.probe_zone
        try:
            zone = self.zone_named(wanted) if wanted else next(iter(self.zones()), None)
        except MissingPermission as error:
            return None, (PermissionCheck(READ, Verdict.DENIED, error.message, error.hint),)
        if zone is None:
            what = f"no zone {wanted}" if wanted else "no zone"
            return None, (PermissionCheck(READ, Verdict.GRANTED, f"It may look, and there is {what}."),)
        return zone, (PermissionCheck(READ, Verdict.GRANTED, f"Found the zone {zone.name}."),)

    def _untested_edit(self) -> tuple[PermissionCheck, ...]:
        return (
            PermissionCheck(
                EDIT,
                Verdict.UNTESTABLE,
                "There is no zone to try it on.",
                f"Add a domain at {self.label}, then check again.",
            ),
        )

    def _edit_check(self, zone: Zone) -> PermissionCheck:
        name, value = f"{PROBE_LABEL}.{zone.name}", f"deploynix-{token_hex(8)}"
        try:
            self.ensure_record(zone, name, "TXT", value, self.shortest_ttl)
            seen = [record.value for record in self.records(zone, name, "TXT")]
            self.remove_record(zone, name, "TXT", value)
        except MissingPermission as error:
            return PermissionCheck(EDIT, Verdict.DENIED, error.message, error.hint)
        if value not in seen:
            raise ProviderError(f"{self.label} took a value at {name}, but does not show it.", "Try again in a minute.")
        return PermissionCheck(EDIT, Verdict.GRANTED, f"A TXT value at {name} was made, read back and removed.")


class RecordDns(DnsProvider, HttpProvider):
    """A provider that keeps each value as a record with an id of its own."""

    @abstractmethod
    def add_record(self, zone: Zone, name: str, type: str, value: str, ttl: int) -> None:  # noqa: A002
        """Adds a value that is not there."""

    @abstractmethod
    def delete_record(self, zone: Zone, record: Record) -> None:
        """Takes one away. Raises NotFound where it is gone."""

    def ensure_record(self, zone: Zone, name: str, type: str, value: str, ttl: int = SHORTEST_TTL) -> None:  # noqa: A002
        if not any(record.value == value for record in self.records(zone, name, type)):
            self.add_record(zone, name, type, value, max(ttl, self.shortest_ttl))

    def remove_record(self, zone: Zone, name: str, type: str, value: str) -> None:  # noqa: A002
        for record in self.records(zone, name, type):
            if record.value == value:
                with suppress(NotFound):
                    self.delete_record(zone, record)


class RecordSetDns(DnsProvider):
    """A provider that keeps all values of a name and type together, and takes them as a whole.

    Two writers of one name would undo each other: callers keep to one at a time per zone.
    """

    @abstractmethod
    def write_values(self, zone: Zone, name: str, type: str, values: Sequence[str], ttl: int) -> None:  # noqa: A002
        """Makes these the values of the name; without any, the name has none of this type."""

    def ensure_record(self, zone: Zone, name: str, type: str, value: str, ttl: int = SHORTEST_TTL) -> None:  # noqa: A002
        found = self.records(zone, name, type)
        if not any(record.value == value for record in found):
            self.write_values(zone, name, type, [*(record.value for record in found), value], self._ttl(found, ttl))

    def remove_record(self, zone: Zone, name: str, type: str, value: str) -> None:  # noqa: A002
        found = self.records(zone, name, type)
        kept = [record.value for record in found if record.value != value]
        if len(kept) < len(found):
            self.write_values(zone, name, type, kept, self._ttl(found, SHORTEST_TTL))

    def _ttl(self, found: Sequence[Record], wanted: int) -> int:
        """What neighbours have stays theirs."""
        return max((record.ttl for record in found), default=0) or max(wanted, self.shortest_ttl)


@dataclass(frozen=True, slots=True)
class RecordSet:
    """The values of a name and type: `rows` has each one as the provider writes it, so that neighbours are written
    back as they were. `version` is what the provider wants to hear in a write; None where it keeps none.
    """

    rows: Mapping[str, Any]
    ttl: int = 0
    version: Any = None


class VersionedSetDns(DnsProvider):
    """A provider that keeps all values of a name and type together. Some can tell whether somebody else wrote
    since they were read; at the others callers keep to one at a time per zone.
    """

    @abstractmethod
    def read_set(self, zone: Zone, name: str, type: str) -> RecordSet:  # noqa: A002
        """Without rows where there is none."""

    @abstractmethod
    def write_set(self, zone: Zone, name: str, type: str, seen: RecordSet, rows: Sequence[Any], ttl: int) -> None:  # noqa: A002
        """Makes these the rows; without any, the name has none of this type. Raises Conflict where `seen` is no longer
        what is there."""

    def row_of(self, type: str, value: str) -> Any:  # noqa: A002
        """The value as the provider writes it: as a zone file has it, unless it is one with ways of its own."""
        return to_zone_file(type, value)

    def records(self, zone: Zone, name: str, type: str) -> Sequence[Record]:  # noqa: A002
        found = self.read_set(zone, name, type)
        return [Record(name, type, value, found.ttl) for value in found.rows]

    def ensure_record(self, zone: Zone, name: str, type: str, value: str, ttl: int = SHORTEST_TTL) -> None:  # noqa: A002
        def add(seen: RecordSet) -> None:
            if value in seen.rows:
                return
            if type == "CNAME" and seen.rows:
                raise Conflict(
                    f"{name} is an alias of {', '.join(seen.rows)} already.",
                    "A name has one CNAME: remove it, then try again.",
                )
            rows = [*seen.rows.values(), self.row_of(type, value)]
            self.write_set(zone, name, type, seen, rows, seen.ttl or max(ttl, self.shortest_ttl))

        self._change(zone, name, type, add)

    def remove_record(self, zone: Zone, name: str, type: str, value: str) -> None:  # noqa: A002
        def remove(seen: RecordSet) -> None:
            if value in seen.rows:
                rows = [row for text, row in seen.rows.items() if text != value]
                self.write_set(zone, name, type, seen, rows, seen.ttl)

        self._change(zone, name, type, remove)

    def _change(self, zone: Zone, name: str, type: str, change: Callable[[RecordSet], None]) -> None:  # noqa: A002
        """Somebody else's write in between makes it start anew."""
        for _ in range(WRITE_ATTEMPTS - 1):
            with suppress(Conflict):
                return change(self.read_set(zone, name, type))
        return change(self.read_set(zone, name, type))


def to_zone_file(type: str, value: str) -> str:  # noqa: A002
    """A value as a zone file has it: TXT in quotes, names with the last dot."""
    if type == "TXT":
        return quoted(value)
    return f"{value}." if type == "CNAME" else value


def from_zone_file(type: str, row: str) -> str:  # noqa: A002
    """What `to_zone_file` wrote."""
    return unquoted(row) if type == "TXT" else row.removesuffix(".")


def quoted(text: str) -> str:
    """A TXT value as a zone file has it: RFC 1035, section 5.1, in strings of at most 255 bytes."""
    data = text.encode(errors="surrogateescape")
    parts = [data[start : start + 255] for start in range(0, len(data), 255)] or [b""]
    return " ".join(f'"{"".join(map(_escaped, part))}"' for part in parts)


def unquoted(text: str) -> str:
    """What the strings of a zone file hold together; a text without quotes stays as it is.

    Bytes that are no UTF-8 come through `quoted` as they were, so that a neighbour's value is never changed.
    """
    if not text.startswith('"'):
        return text
    inner = "".join(_STRINGS.findall(text)).encode(errors="surrogateescape")
    return _ESCAPES.sub(_meant, inner).decode(errors="surrogateescape")


def _escaped(byte: int) -> str:
    if not 32 <= byte < 127:
        return f"\\{byte:03d}"
    return f"\\{byte:c}" if byte in b'"\\' else f"{byte:c}"


def _meant(escape: re.Match[bytes]) -> bytes:
    return bytes([int(escape[1])]) if len(escape[1]) == 3 else escape[1]
