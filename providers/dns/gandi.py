"""Gandi LiveDNS. https://api.gandi.net/docs/livedns/ and https://api.gandi.net/docs/authentication/"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from providers.base import Field, Findings, HttpProvider, Permission
from providers.contracts.dns import EDIT, READ, Record, RecordSet, RecordSetDns, Zone, records_of
from providers.contracts.zone_file import from_zone_file
from providers.errors import InvalidCredential, MissingPermission, NotFound

TOKEN_INFO = "https://id.gandi.net/tokeninfo"  # noqa: S105 -- an address
TOKEN, API_KEY = "token", "api_key"
SCHEMES = {TOKEN: "Bearer", API_KEY: "Apikey"}
# 24 letters and digits; a token is longer.
OLD_KEY = re.compile("[A-Za-z0-9]{24}")
# What the two permissions open; to see domains comes with renewing them.
NEEDED_SCOPES = frozenset({"domain:view", "domain:renew", "domain:tech"})


class Gandi(RecordSetDns, HttpProvider):
    key = "gandi"
    label = "Gandi"
    credential = "Personal Access Token"
    base_url = "https://api.gandi.net/v5/livedns"
    console_url = "https://admin.gandi.net/organizations/account/pat"
    fields = (
        Field("token", "Personal Access Token", secret=True),
        Field(
            "scheme",
            "Kind",
            required=False,
            choices=((TOKEN, "Personal Access Token"), (API_KEY, "API key (deprecated by Gandi)")),
            default=TOKEN,
        ),
    )
    permissions = (
        Permission(READ, "See and renew domain names", "Finds the domain that a name belongs to."),
        Permission(
            EDIT, "Manage domain name technical configurations", "Makes the TXT records that prove the domain is yours."
        ),
    )
    used_for = (
        "Find the zone of a domain",
        "Make and remove TXT records for DNS-01 challenges",
        "Show the records of its zones, and add and remove some",
    )
    steps = (
        "Sign in to Gandi and open the account settings, there Authentication options.",
        "Choose Create a token under Personal Access Token, and the organization that owns the domain.",
        "Under Resources choose the domains that Deploynix is to use.",
        "Tick See and renew domain names, and Manage domain name technical configurations; nothing else is needed.",
        "Choose Create, and copy the token: it is shown once.",
    )
    notes = (
        "The domain has to use Gandi's own name servers (LiveDNS).",
        "Every token has a last day: Deploynix tells you before it comes.",
        "The older API keys still work, but each of them opens the whole account.",
    )
    # `rrset_ttl` is 300 seconds or more: https://api.gandi.net/docs/livedns/
    shortest_ttl = 300

    @classmethod
    def parse(cls, text: str) -> dict[str, str]:
        """A token, or an API key: they differ by their length."""
        return {"token": text, "scheme": API_KEY if OLD_KEY.fullmatch(text) else TOKEN}

    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"{SCHEMES[self._scheme]} {self.values['token']}"}

    def zones(self) -> Iterable[Zone]:
        for page in self.linked_pages("/domains", READ):
            yield from (Zone(row["fqdn"], row["fqdn"]) for row in page)

    def zone_named(self, name: str) -> Zone | None:
        try:
            self.call("GET", f"/domains/{quote(name, safe='')}", READ)
        except NotFound:
            return None
        return Zone(name, name)

    def all_records(self, zone: Zone) -> Iterable[Record]:
        for page in self.linked_pages(f"/domains/{zone.id}/records", EDIT):
            for found in page:
                name, rows = zone.name_of(found["rrset_name"]), found["rrset_values"]
                yield from records_of(name, found["rrset_type"], rows, found["rrset_ttl"])

    def read_set(self, zone: Zone, name: str, type: str) -> RecordSet:  # noqa: A002 -- its name in DNS
        try:
            body = self.call("GET", _path(zone, name, type), EDIT)
        except NotFound:
            return RecordSet({})
        return RecordSet({from_zone_file(type, row): row for row in body["rrset_values"]}, body["rrset_ttl"])

    def write_set(self, zone: Zone, name: str, type: str, seen: RecordSet, rows: Sequence[Any], ttl: int) -> None:  # noqa: A002
        if rows:
            self.call("PUT", _path(zone, name, type), EDIT, json={"rrset_ttl": ttl, "rrset_values": [*rows]})
        else:
            self.call("DELETE", _path(zone, name, type), EDIT)

    def verify(self) -> Findings:
        if self._scheme == API_KEY:
            fix = "Make a Personal Access Token that is limited to your domains."
            return super().verify().with_excess(READ, "An API key opens the whole account.", fix)
        token = self._token_info()
        findings = replace(super().verify(), expires_at=_end_of(token))
        if more := sorted(set(token.get("scope", ())) - NEEDED_SCOPES):
            fix = "Make a token with the two permissions only."
            return findings.with_excess(READ, f"The token also opens {', '.join(more)}.", fix)
        return findings

    @property
    def _scheme(self) -> str:
        return self.values.get("scheme") or TOKEN

    def _token_info(self) -> Any:
        """LiveDNS answers 403 to a token that nobody knows, so that it is asked for elsewhere first."""
        try:
            return self.call("GET", TOKEN_INFO)
        except MissingPermission as error:
            fix = "Make a new Personal Access Token. If this is an API key, choose that kind."
            raise InvalidCredential(error.message, fix) from error


def _end_of(token: Mapping[str, Any]) -> datetime | None:
    seconds = token.get("expires_in")
    return datetime.now(UTC) + timedelta(seconds=seconds) if seconds else None


def _path(zone: Zone, name: str, type: str) -> str:  # noqa: A002
    return f"/domains/{zone.id}/records/{quote(zone.label_of(name) or '@', safe='@')}/{type}"
