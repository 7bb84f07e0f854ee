"""The contract of DNS providers: values of one name and type, put there and taken away, neighbours left alone.

Names are absolute, in small letters and without the last dot (`_acme-challenge.shop.example.com`); TXT values are plain
text, without quotes. A name may hold several values of a type, and a value that is there is never there twice.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from secrets import token_hex
from typing import Any, ClassVar

from providers.answers import Told
from providers.base import Findings, HttpProvider, Kind, PermissionCheck, Provider, Verdict
from providers.contracts.zone_file import from_zone_file, plain_name, plain_value, to_zone_file
from providers.errors import (
    Conflict,
    InvalidCredential,
    MissingPermission,
    NotFound,
    ProviderError,
    RateLimited,
    Unavailable,
)

TYPES = ("TXT", "A", "AAAA", "CNAME")
PROBE_LABEL = "_deploynix-probe"
SHORTEST_TTL = 60
READ, EDIT = "zones", "records"
# After these nothing was done, and asking again would be answered in the same way.
REFUSALS = (InvalidCredential, MissingPermission, RateLimited)
WRITE_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Zone(Told):
    """`id` is what the provider calls it in its addresses; `name` is its apex."""

    id: str
    name: str

    def __post_init__(self) -> None:
        self.check_types()
        object.__setattr__(self, "name", plain_name(self.name))

    def own(self, name: str) -> str:
        """The name as the contract writes it. Raises NotFound for one that is not in the zone."""
        plain = plain_name(name)
        labels = plain.split(".")
        if f".{plain}".endswith(f".{self.name}") and "" not in labels and "@" not in labels:
            return plain
        raise NotFound(f"{name} is no name in the zone {self.name}.")

    def label_of(self, name: str) -> str:
        """The name as it is written inside the zone: `_acme-challenge.shop`, and empty for the apex."""
        return "" if name == self.name else name.removesuffix(f".{self.name}")

    def name_of(self, label: str) -> str:
        """The other way round; providers write the apex as "@" or as nothing."""
        return self.name if label in ("", "@") else f"{label.lower()}.{self.name}"


@dataclass(frozen=True, slots=True)
class Record(Told):
    """One value; `id` is empty where the provider keeps values of a name together."""

    name: str
    type: str
    value: str
    ttl: int = 0
    id: str = ""

    def __post_init__(self) -> None:
        self.check_types()
        object.__setattr__(self, "name", plain_name(self.name))
        object.__setattr__(self, "value", plain_value(self.type, self.value))


class DnsProvider(Provider):
    kind = Kind.DNS
    # Providers that refuse smaller ones say what they take.
    shortest_ttl = SHORTEST_TTL
    # Of two that write at the same moment, one undoes what the other one did: callers keep to one at a time per zone.
    last_writer_wins: ClassVar[bool] = False
    # After these it is looked whether all is as it should be: an answer got lost, or another call came first.
    doubtful: ClassVar[tuple[type[ProviderError], ...]] = (Conflict, NotFound, Unavailable)

    @abstractmethod
    def zones(self) -> Iterable[Zone]:
        """All that the credential sees. Only pages ask for them: a credential need not be allowed to list."""

    @abstractmethod
    def zone_named(self, name: str) -> Zone | None:
        """The zone with this apex, asked for by name; None where the credential has none."""

    @abstractmethod
    def all_records(self, zone: Zone) -> Iterable[Record]:
        """Every value in the zone that is of one of the `TYPES`; what else it holds is none of ours."""

    @abstractmethod
    def records(self, zone: Zone, name: str, type: str) -> Sequence[Record]:  # noqa: A002 -- its name in DNS
        """The values of a name."""

    @abstractmethod
    def put_value(self, zone: Zone, name: str, type: str, value: str, ttl: int) -> None:  # noqa: A002
        """As `ensure_record`, which has made sure that all is written as the contract says."""

    @abstractmethod
    def take_value(self, zone: Zone, name: str, type: str, value: str) -> None:  # noqa: A002
        """As `remove_record`, in the same way."""

    def ensure_record(self, zone: Zone, name: str, type: str, value: str, ttl: int = SHORTEST_TTL) -> None:  # noqa: A002
        """Adds the value, unless it is there; other values of the name stay. A TTL that is too short is made longer.

        Raises Conflict for a second alias (CNAME), and ProviderError.
        """
        own, value = zone.own(name), plain_value(type, value)
        try:
            self.put_value(zone, own, type, value, max(ttl, self.shortest_ttl))
        except REFUSALS:
            raise
        except self.doubtful:
            if not self._is_settled(zone, own, type, value, there=True):
                raise

    def remove_record(self, zone: Zone, name: str, type: str, value: str) -> None:  # noqa: A002
        """Takes the value away, if it is there; other values of the name stay."""
        own, value = zone.own(name), plain_value(type, value)
        try:
            self.take_value(zone, own, type, value)
        except REFUSALS:
            raise
        except self.doubtful:
            if not self._is_settled(zone, own, type, value, there=False):
                raise

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

    def _is_settled(self, zone: Zone, name: str, type: str, value: str, *, there: bool) -> bool:  # noqa: A002
        """Whether all is as it should be, whatever was answered; False where nobody knows."""
        try:
            return any(record.value == value for record in self.records(zone, name, type)) == there
        except ProviderError:
            return False

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
            try:
                seen = [record.value for record in self.records(zone, name, "TXT")]
            finally:
                self.remove_record(zone, name, "TXT", value)
        except MissingPermission as error:
            return PermissionCheck(EDIT, Verdict.DENIED, error.message, error.hint)
        if value not in seen:
            raise ProviderError(f"{self.label} took a value at {name}, but does not show it.", "Try again in a minute.")
        return PermissionCheck(EDIT, Verdict.GRANTED, f"A TXT value at {name} was made, read back and removed.")


class RecordDns(DnsProvider, HttpProvider):
    """A provider that keeps each value as a record with an id of its own."""

    # Each says in its own way that it has the same record already.
    doubtful = (ProviderError,)

    def records(self, zone: Zone, name: str, type: str) -> Sequence[Record]:  # noqa: A002
        """Out of the whole zone: for a provider that looks nothing up by its name."""
        return only(self.all_records(zone), name, type)

    @abstractmethod
    def add_record(self, zone: Zone, name: str, type: str, value: str, ttl: int) -> None:  # noqa: A002
        """Adds a value that is not there."""

    @abstractmethod
    def delete_record(self, zone: Zone, record: Record) -> None:
        """Takes one away. Raises NotFound where it is gone."""

    def put_value(self, zone: Zone, name: str, type: str, value: str, ttl: int) -> None:  # noqa: A002
        found = [record.value for record in self.records(zone, name, type)]
        if value not in found:
            refuse_second_alias(name, type, found)
            self.add_record(zone, name, type, value, ttl)

    def take_value(self, zone: Zone, name: str, type: str, value: str) -> None:  # noqa: A002
        for record in self.records(zone, name, type):
            if record.value == value:
                with suppress(NotFound):
                    self.delete_record(zone, record)


@dataclass(frozen=True, slots=True)
class RecordSet:
    """The values of a name and type: `rows` has each one as the provider writes it, so that neighbours are written
    back as they were. `version` is what the provider wants to hear in a write; None where it keeps none.
    """

    rows: Mapping[str, Any]
    ttl: int = 0
    version: Any = None


class RecordSetDns(DnsProvider):
    """A provider that keeps all values of a name and type together. Those that can tell whether somebody else wrote
    since they were read say that no writer's values are lost.
    """

    last_writer_wins = True

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

    def put_value(self, zone: Zone, name: str, type: str, value: str, ttl: int) -> None:  # noqa: A002
        def add(seen: RecordSet) -> None:
            if value not in seen.rows:
                refuse_second_alias(name, type, seen.rows)
                rows = [*seen.rows.values(), self.row_of(type, value)]
                self.write_set(zone, name, type, seen, rows, seen.ttl or ttl)

        self._change(zone, name, type, add)

    def take_value(self, zone: Zone, name: str, type: str, value: str) -> None:  # noqa: A002
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


def records_of(name: str, type: str, rows: Iterable[str], ttl: int) -> Iterator[Record]:  # noqa: A002
    """Of rows as a zone file has them; none where the type is none of ours."""
    return (Record(name, type, from_zone_file(type, row), ttl) for row in rows if type in TYPES)


def only(found: Iterable[Record], name: str, type: str) -> list[Record]:  # noqa: A002
    """Those of a name and type."""
    return [record for record in found if (record.name, record.type) == (name, type)]


def refuse_second_alias(name: str, type: str, there: Iterable[str]) -> None:  # noqa: A002
    """Raises Conflict where the name has a CNAME: RFC 1034, section 3.6.2."""
    if type == "CNAME" and (found := ", ".join(there)):
        raise Conflict(f"{name} is an alias of {found} already.", "A name has one CNAME: remove it, then try again.")
