"""What the zones of a DNS credential hold, and what name servers answer, asked and remembered for a moment."""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any, Self

from domains.lookup import Answer, answers, authority_of, public_answers
from domains.lookup.wire import at_once
from jobs.models import Job
from providers.catalogue import remembered
from providers.contracts.dns import TYPES, DnsProvider, Record, Zone
from providers.errors import NotFound
from providers.models import Credential

ADD, REMOVE = "add_record", "remove_record"
# People look again after each change of their own, which is seen at once: see `records_key`.
REMEMBERED_SECONDS = 30
# A page that stays open asks every five.
ANSWERS_SECONDS = 4
LONGEST_ID = 8192
_ZONE = re.compile(r"[^\s./]+(\.[^\s./]+)+")
Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Value:
    """A value at a name. `id` is how addresses name it, whatever letters are in it."""

    name: str
    type: str
    value: str

    @classmethod
    def of(cls, zone: str, pk: str) -> Self:
        """Raises NotFound for what is no value in the zone."""
        try:
            name, type, value = json.loads(urlsafe_b64decode(pk[:LONGEST_ID].encode() + b"=="))  # noqa: A001
            if type in TYPES and isinstance(value, str) and name.isprintable() and Zone("", zone).own(name) == name:
                return cls(name, type, value)
        except (AttributeError, RecursionError, TypeError, ValueError):
            pass
        raise NotFound("There is no such record.")

    @property
    def id(self) -> str:
        text = json.dumps([self.name, self.type, self.value], separators=(",", ":"))
        return urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @property
    def shown(self) -> str:
        return shown(self.value)


def shown(value: str) -> str:
    """For people and JSON, who take no bytes that are no text, and no control characters."""
    text = value.encode(errors="surrogateescape").decode(errors="backslashreplace")
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def is_zone_name(text: str) -> bool:
    return len(text) <= 253 and bool(_ZONE.fullmatch(text))


def zones(credential: Credential, search: str = "") -> Rows:
    """Rows of `name`, those with the text in it. Raises ProviderError and Unopenable, as all of these."""
    found = remembered(credential, "zones", _zones, REMEMBERED_SECONDS)
    return [row for row in found if search.lower() in row["name"]]


def records(credential: Credential, zone: str, search: str = "", type: str = "") -> Rows:  # noqa: A002 -- its name in DNS
    """Rows of `id`, `name`, `type`, `value` and `ttl`, by name; those with the text in their name, and of the type."""
    found = remembered(credential, records_key(credential, zone), partial(_records, zone), REMEMBERED_SECONDS)
    return [row for row in found if search.lower() in row["name"] and type in ("", row["type"])]


def records_key(credential: Credential, zone: str) -> str:
    """Another one after each change that was made here, whichever process made it."""
    ended = Job.objects.about(credential).filter(kind__in=(ADD, REMOVE), finished_at__isnull=False)
    latest = ended.order_by("-finished_at").values_list("pk", flat=True).first()
    return f"records:{sha256(zone.encode()).hexdigest()}:{latest}"


def propagation(credential: Credential, name: str, type: str) -> dict[str, Any]:  # noqa: A002
    """`zone` is the one that the public knows the name in; `servers` are rows of `server`, `address`,
    `is_authoritative`, `values` as they are, which is None where the server did not answer, `error` and `hint`.

    Raises NoSuchDomain and LookupFailed.
    """
    return remembered(credential, propagation_key(name, type), lambda _: _propagation(name, type), ANSWERS_SECONDS)


def propagation_key(name: str, type: str) -> str:  # noqa: A002
    return f"propagation:{type}:{sha256(name.encode()).hexdigest()}"


def zone_called(adapter: DnsProvider, name: str) -> Zone:
    """Raises NotFound."""
    zone = adapter.zone_named(name)
    if zone is None:
        raise NotFound(f"No zone {name} is there for this {adapter.credential}.", f"Look for it at {adapter.label}.")
    return zone


def _zones(adapter: DnsProvider) -> Rows:
    return [{"name": name} for name in sorted({zone.name for zone in adapter.zones()})]


def _records(zone: str, adapter: DnsProvider) -> Rows:
    found = adapter.all_records(zone_called(adapter, zone))
    return [_row(record) for record in sorted(found, key=partial(_place, zone))]


def _place(zone: str, record: Record) -> tuple[bool, str, str, str]:
    """The zone itself comes first."""
    return record.name != zone, record.name, record.type, record.value


def _row(record: Record) -> dict[str, Any]:
    value = Value(record.name, record.type, record.value)
    return {"id": value.id, "name": value.name, "type": value.type, "value": value.shown, "ttl": record.ttl}


def _propagation(name: str, type: str) -> dict[str, Any]:  # noqa: A002
    authority = authority_of(name)
    own, public = at_once([partial(answers, authority, name, type), partial(public_answers, name, type)])
    servers = [*_answered(own, is_authoritative=True), *_answered(public, is_authoritative=False)]
    return {"zone": authority.zone, "servers": servers}


def _answered(found: Iterable[Answer], *, is_authoritative: bool) -> Rows:
    return [
        {
            "server": answer.server,
            "address": answer.address,
            "is_authoritative": is_authoritative,
            "values": None if answer.values is None else list(answer.values),
            "error": answer.error,
            "hint": answer.hint,
        }
        for answer in found
    ]
