"""What a vendor that stands in remembers."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, groupby
from typing import Any


@dataclass
class Row:
    id: str
    name: str
    type: str
    value: str
    ttl: int = 300


@dataclass
class DnsState:
    """Zones by name, with their ids, and their rows. A vendor answers 403 to what needs one of `denied`."""

    zones: dict[str, str] = field(default_factory=lambda: {"example.com": "zone-1", "shop.example.com": "zone-2"})
    rows: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    denied: set[str] = field(default_factory=set)
    _ids: Iterator[int] = field(default_factory=lambda: count(1000))

    def name_of(self, zone_id: str) -> str:
        return next(name for name, each in self.zones.items() if each == zone_id)

    def add(self, zone: str, name: str, type: str, value: str, ttl: int = 300) -> Row:  # noqa: A002
        """`name` is absolute."""
        row = Row(str(next(self._ids)), name, type, value, ttl)
        self.rows[zone].append(row)
        return row

    def found(self, zone: str, name: str = "", type: str = "") -> list[Row]:  # noqa: A002
        return [row for row in self.rows[zone] if name in ("", row.name) and type in ("", row.type)]

    def replace(self, zone: str, name: str, type: str, values: list[str], ttl: int = 300) -> None:  # noqa: A002
        self.rows[zone] = [row for row in self.rows[zone] if (row.name, row.type) != (name, type)]
        for value in values:
            self.add(zone, name, type, value, ttl)

    def sets(self, zone: str) -> list[tuple[str, str, list[Row]]]:
        """The rows of each name and type, for vendors that keep them together."""
        rows = sorted(self.rows[zone], key=lambda row: (row.name, row.type))
        return [(*key, list(found)) for key, found in groupby(rows, key=lambda row: (row.name, row.type))]

    def remove(self, zone: str, row_id: str) -> bool:
        before = len(self.rows[zone])
        self.rows[zone] = [row for row in self.rows[zone] if row.id != row_id]
        return len(self.rows[zone]) < before

    def values(self, zone: str, name: str, type: str = "TXT") -> list[str]:  # noqa: A002
        return sorted(row.value for row in self.found(zone, name, type))


@dataclass
class Machine:
    """A server at a vendor; `done` is what was done to it. It has no address until it has started."""

    id: str
    name: str
    region: str
    size: str
    image: str
    tags: list[str]
    keys: list[str]
    user_data: str = ""
    ip_address: str = ""
    done: list[str] = field(default_factory=list)

    def start(self) -> None:
        self.ip_address = "198.51.100.7"


@dataclass
class Key:
    id: str
    name: str
    public_key: str


@dataclass
class ServerState:
    """Machines and SSH keys by id. A vendor refuses what needs one of `denied`; `sold_out` are regions.

    While it `loses_answers`, it does as asked, but its answers to POST do not arrive.
    """

    machines: dict[str, Machine] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    denied: set[str] = field(default_factory=set)
    sold_out: set[str] = field(default_factory=set)
    loses_answers: bool = False
    _ids: Iterator[int] = field(default_factory=lambda: count(1000))

    def add(self, name: str, region: str, size: str, image: str, **more: Any) -> Machine:
        machine = Machine(str(next(self._ids)), name, region, size, image, **{"tags": [], "keys": [], **more})
        self.machines[machine.id] = machine
        return machine

    def add_key(self, name: str, public_key: str) -> Key:
        key = Key(str(next(self._ids)), name, public_key)
        self.keys[key.id] = key
        return key

    def bodies(self, key_ids: list[Any]) -> list[str]:
        return [self.keys[str(each)].public_key for each in key_ids]
