"""GoDaddy DNS. https://developer.godaddy.com/doc/endpoint/domains"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from deploynix.http import Answer
from providers.answers import MISREAD
from providers.base import DEFAULT_PAUSE, MOST_PAGES, Field, HttpProvider, Permission, numbered_pages
from providers.contracts.dns import EDIT, READ, TYPES, Record, RecordSet, RecordSetDns, Zone, refuse_second_alias
from providers.contracts.zone_file import plain_value
from providers.errors import NotFound, ProviderError, RateLimited

# The most that one answer holds.
PER_PAGE = 1000
# Of a domain's records.
RECORDS_PER_PAGE = 500
TIER = "10 or more domains, or the plan Discount Domain Club Premier"


class GoDaddy(RecordSetDns, HttpProvider):
    key = "godaddy"
    label = "GoDaddy"
    credential = "API key"
    base_url = "https://api.godaddy.com/v1"
    console_url = "https://developer.godaddy.com/keys"
    fields = (
        Field("key", "Key", secret=True),
        Field("secret", "Secret", secret=True),
    )
    permissions = (
        Permission(READ, "Domains: Management API", "Finds the domain that a name belongs to."),
        Permission(EDIT, "Domains: DNS API", "Makes the TXT records that prove the domain is yours."),
    )
    used_for = (
        "Find the zone of a domain",
        "Make and remove TXT records for DNS-01 challenges",
        "Show the records of its zones, and add and remove some",
    )
    steps = (
        "Sign in to the GoDaddy developer portal and open API Keys.",
        "Choose Create New API Key, name it, and choose Production as its environment.",
        "Copy the key and the secret: the secret is shown once.",
    )
    gates = (f"GoDaddy opens its DNS API only to accounts with {TIER}. To others it answers 403.",)
    notes = (
        "A key has no permissions of its own: it may do what the account may, buy domains as well.",
        "A key for OTE, the test environment, does not work.",
        "The shortest TTL is ten minutes.",
    )
    # Less is refused: "must have a minimum value of 600".
    shortest_ttl = 600

    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"sso-key {self.values['key']}:{self.values['secret']}"}

    @classmethod
    def parse(cls, text: str) -> dict[str, str]:
        """`key:secret`."""
        key, _, secret = text.partition(":")
        if not key or not secret:
            raise ValueError("give the key and the secret as key:secret")
        return {"key": key, "secret": secret}

    def zones(self) -> Iterable[Zone]:
        query: dict[str, Any] = {"statuses": "ACTIVE", "limit": PER_PAGE}
        for _ in range(MOST_PAGES):
            names = [row["domain"] for row in self.call("GET", "/domains", READ, params=query)]
            yield from (Zone(name, name) for name in names)
            if len(names) < PER_PAGE:
                return
            query["marker"] = names[-1]

    def zone_named(self, name: str) -> Zone | None:
        answer = self.ask("GET", f"/domains/{quote(name, safe='')}")
        # A name that could not be registered, such as one that begins with an underscore, is no valid domain to it.
        if answer.status in (404, 422):
            return None
        if not answer.is_ok:
            raise self.error_of(answer, READ)
        return Zone(name, name)

    def all_records(self, zone: Zone) -> Iterable[Record]:
        """By a call that GoDaddy answers without describing it; what it calls `offset` counts pages there, from 1."""

        def page(number: int) -> tuple[list[Record], bool]:
            query = {"limit": RECORDS_PER_PAGE, **({"offset": number} if number > 1 else {})}
            rows = self.call("GET", f"/domains/{zone.id}/records", EDIT, params=query)
            ours = [row for row in rows if row["type"] in TYPES]
            found = [Record(zone.name_of(row["name"]), row["type"], _value(zone, row), row["ttl"]) for row in ours]
            return found, len(rows) < RECORDS_PER_PAGE

        return numbered_pages(page)

    def read_set(self, zone: Zone, name: str, type: str) -> RecordSet:  # noqa: A002 -- its name in DNS
        found = self.call("GET", _path(zone, name, type), EDIT)
        return RecordSet({_value(zone, row): _without_name(row) for row in found})

    def write_set(self, zone: Zone, name: str, type: str, seen: RecordSet, rows: Sequence[Any], ttl: int) -> None:  # noqa: A002
        if rows:
            self.call("PUT", _path(zone, name, type), EDIT, json=[*rows])
            return
        with suppress(NotFound):
            self.call("DELETE", _path(zone, name, type), EDIT)

    def put_value(self, zone: Zone, name: str, type: str, value: str, ttl: int) -> None:  # noqa: A002
        """PATCH adds to what is there, where PUT would replace it."""
        found = self.read_set(zone, name, type).rows
        if value not in found:
            refuse_second_alias(name, type, found)
            added = {"type": type, "name": zone.label_of(name) or "@", "data": value, "ttl": ttl}
            self.call("PATCH", f"/domains/{zone.id}/records", EDIT, json=[added])

    def error_of(self, answer: Answer, permission: str = "") -> ProviderError:
        if answer.status == 429:
            return RateLimited(self.label, self._pause(answer))
        return super().error_of(answer, permission)

    def how_to_grant(self, permission: str) -> str:
        return f"The account needs {TIER}, and the key must be one for Production."

    def _pause(self, answer: Answer) -> float:
        """GoDaddy says in the body how long to wait, in seconds."""
        try:
            return float(answer.json()["retryAfterSec"])
        except MISREAD:
            return answer.retry_after or DEFAULT_PAUSE


def _path(zone: Zone, name: str, type: str) -> str:  # noqa: A002
    return f"/domains/{zone.id}/records/{type}/{quote(zone.label_of(name) or '@', safe='@')}"


def _value(zone: Zone, row: Mapping[str, Any]) -> str:
    target = zone.name if row["type"] == "CNAME" and row["data"] == "@" else row["data"]
    return plain_value(row["type"], target)


def _without_name(row: Mapping[str, Any]) -> dict[str, Any]:
    """As PUT wants it, with all else that the row has."""
    return {field: value for field, value in row.items() if field not in ("type", "name")}
