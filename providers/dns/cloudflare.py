"""Cloudflare DNS. https://developers.cloudflare.com/api/"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from deploynix.http import Answer
from providers.base import Field, Findings, Permission, numbered_pages
from providers.contracts.dns import EDIT, READ, TYPES, Record, RecordDns, Zone, only
from providers.contracts.zone_file import quoted, unquoted
from providers.errors import InvalidCredential, ProviderError

PER_PAGE = 50
# What it answers, with 400, to something that has not the form of a token.
MALFORMED = "Invalid request headers"
# 37 hexadecimal digits; a token has 40 characters.
GLOBAL_KEY = re.compile("[0-9a-f]{37}")


class Cloudflare(RecordDns):
    key = "cloudflare"
    label = "Cloudflare"
    credential = "API Token"
    base_url = "https://api.cloudflare.com/client/v4"
    console_url = "https://dash.cloudflare.com/profile/api-tokens"
    fields = (
        Field(
            "api_token",
            "API Token",
            secret=True,
            help_text="An API Token, not the Global API Key, which opens the whole account.",
        ),
    )
    permissions = (
        Permission(READ, "Zone → Zone → Read", "Finds the zone that holds your domain."),
        Permission(EDIT, "Zone → DNS → Edit", "Makes the TXT records that prove the domain is yours."),
    )
    used_for = (
        "Find the zone of a domain",
        "Make and remove TXT records for DNS-01 challenges",
        "Show the records of its zones, and add and remove some",
    )
    steps = (
        "Sign in to the Cloudflare dashboard and open My Profile → API Tokens.",
        "Choose Create Token, and there the template Edit zone DNS, or a custom token with the permissions listed.",
        "Under Zone Resources choose the zones that Deploynix is to use; one is enough.",
        "Choose Continue to summary, then Create Token, and copy it: it is shown once.",
    )
    notes = ("A token that is limited to one zone works: zones are looked up by name.",)
    shortest_ttl = 60

    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.values['api_token']}"}

    def zones(self) -> Iterable[Zone]:
        return self._zones()

    def zone_named(self, name: str) -> Zone | None:
        return next(iter(self._zones(name=name)), None)

    def all_records(self, zone: Zone) -> Iterable[Record]:
        return self._records(zone)

    def records(self, zone: Zone, name: str, type: str) -> Sequence[Record]:  # noqa: A002 -- its name in DNS
        return only(self._records(zone, name=name, type=type), name, type)

    def add_record(self, zone: Zone, name: str, type: str, value: str, ttl: int) -> None:  # noqa: A002
        # Cloudflare keeps a TXT value as it is written, and shows a hint where it has no quotes.
        content = quoted(value) if type == "TXT" else value
        body = {"type": type, "name": name, "content": content, "ttl": ttl, "proxied": False}
        self.call("POST", f"/zones/{zone.id}/dns_records", EDIT, json=body)

    def delete_record(self, zone: Zone, record: Record) -> None:
        self.call("DELETE", f"/zones/{zone.id}/dns_records/{record.id}", EDIT)

    def verify(self) -> Findings:
        if GLOBAL_KEY.fullmatch(self.values["api_token"]):
            raise InvalidCredential("This is the Global API Key.", "It opens the whole account: make an API Token.")
        token = self.call("GET", "/user/tokens/verify")["result"]
        if token["status"] != "active":
            raise InvalidCredential(f"Cloudflare says that the token is {token['status']}.", "Make a new one.")
        return replace(super().verify(), expires_at=_time(token.get("expires_on")))

    def error_of(self, answer: Answer, permission: str = "") -> ProviderError:
        error = super().error_of(answer, permission)
        if answer.status == 400 and MALFORMED in error.message:
            return InvalidCredential(error.message, "Copy the whole API Token, and nothing else.")
        return error

    def error_text(self, body: Any) -> str:
        return "; ".join(str(error["message"]) for error in body["errors"])

    def _zones(self, **query: Any) -> Iterable[Zone]:
        return (Zone(row["id"], row["name"]) for row in self._pages("/zones", READ, **query))

    def _records(self, zone: Zone, **query: Any) -> Iterator[Record]:
        rows = self._pages(f"/zones/{zone.id}/dns_records", EDIT, **query)
        return (
            Record(row["name"], row["type"], unquoted(row["content"]), row["ttl"], row["id"])
            for row in rows
            if row["type"] in TYPES
        )

    def _pages(self, path: str, permission: str, **query: Any) -> Iterator[Any]:
        def page(number: int) -> tuple[list[Any], bool]:
            params = {**query, "page": number, "per_page": PER_PAGE}
            body = self.call("GET", path, permission, params=params)
            return body["result"], body["result_info"]["page"] >= body["result_info"]["total_pages"]

        return numbered_pages(page)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
