"""The records that people want for a domain, checked and written in one form."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from django.core.exceptions import ValidationError
from publicsuffixlist import PublicSuffixList

from deploynix.errors import Invalid
from deploynix.names import LONGEST_DOMAIN, ascii_domain, check_domain
from domains.models import RecordType
from domains.models.connections import LONGEST_TTL, LONGEST_VALUE, OWNERSHIP_LABEL, SHORTEST_TTL, USUAL_TTL
from providers.contracts.zone_file import plain_value

MOST_RECORDS = 20
# With the underscores of services, and a wildcard at most in front.
_NAME = re.compile(r"(\*|_?[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?)(\._?[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?)*")
_TEXT = re.compile(r"[ -~]+")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A value in the form of the DNS contract; `name` is relative to the domain, and empty for itself."""

    type: str
    name: str
    value: str
    ttl: int = USUAL_TTL


def plain_domain(text: str) -> str:
    """The domain in ASCII. Raises Invalid for what nobody can own: no domain name, or one like co.uk."""
    domain = ascii_domain(text)
    try:
        check_domain(domain)
    except ValidationError as error:
        raise Invalid({"domain": error.messages}) from None
    if suffixes().privatesuffix(domain) is None:
        raise Invalid({"domain": [f"{domain} is a suffix under which domains are registered, not a domain."]})
    return domain


@cache
def suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def plain_records(domain: str, rows: Sequence[Mapping[str, Any]]) -> list[Wanted]:
    """`rows` have `type`, `value`, and maybe `name` and `ttl`. Raises Invalid, naming `records.<position>.<field>`."""
    if not rows:
        raise Invalid({"records": ["Give at least one record."]})
    if len(rows) > MOST_RECORDS:
        raise Invalid({"records": [f"Give {MOST_RECORDS} records at most."]})
    found = [_plain(domain, position, row) for position, row in enumerate(rows)]
    _check_neighbours(found)
    return found


def _plain(domain: str, position: int, row: Mapping[str, Any]) -> Wanted:
    def refuse(field: str, text: str) -> Invalid:
        return Invalid({f"records.{position}.{field}": [text]})

    kind, name, ttl = str(row["type"]), relative_name(domain, row.get("name") or ""), row.get("ttl") or USUAL_TTL
    if kind not in set(RecordType):
        raise refuse("type", "The selected type is invalid.")
    if (name and not _NAME.fullmatch(name)) or len(f"{name}.{domain}") > LONGEST_DOMAIN:
        raise refuse("name", f"{name} is no name below {domain}, such as www; @ is {domain} itself.")
    if name == OWNERSHIP_LABEL:
        raise refuse("name", f"{name} is where Deploynix itself asks whose the domain is.")
    if not SHORTEST_TTL <= ttl <= LONGEST_TTL:
        raise refuse("ttl", f"The TTL is {SHORTEST_TTL} to {LONGEST_TTL} seconds.")
    value = str(row["value"]).strip()
    if fault := _fault_of(kind, value):
        raise refuse("value", fault)
    return Wanted(kind, name, plain_value(kind, ascii_domain(value) if kind == RecordType.CNAME else value), ttl)


def relative_name(domain: str, name: str) -> str:
    """However people write it: `www`, `www.example.com`, `@` or nothing."""
    plain = name.strip().rstrip(".").lower()
    return "" if plain in ("@", domain) else plain.removesuffix(f".{domain}")


def _fault_of(kind: str, value: str) -> str:
    try:
        if kind == RecordType.A:
            IPv4Address(value)
        elif kind == RecordType.AAAA:
            IPv6Address(value)
        elif kind == RecordType.CNAME:
            check_domain(ascii_domain(value))
        elif len(value) > LONGEST_VALUE or not _TEXT.fullmatch(value):
            return f"Give 1 to {LONGEST_VALUE} characters of ASCII, on one line."
    except ValidationError as error:
        return " ".join(error.messages)
    except ValueError:
        return f"{value!r} is no address for a record of the type {kind}."
    return ""


def _check_neighbours(records: Iterable[Wanted]) -> None:
    """An alias stands alone at its name: RFC 1034, section 3.6.2."""
    names: dict[str, list[Wanted]] = {}
    for position, record in enumerate(records):
        others = names.setdefault(record.name, [])
        if any((other.type, other.value) == (record.type, record.value) for other in others):
            raise Invalid({f"records.{position}.value": ["It is in the list already."]})
        if others and RecordType.CNAME in {record.type, *(other.type for other in others)}:
            raise Invalid({f"records.{position}.type": ["A name that has a CNAME has no other record."]})
        others.append(record)
