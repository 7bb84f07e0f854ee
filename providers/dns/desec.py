"""deSEC. https://desec.readthedocs.io/en/latest/dns/rrsets.html and .../auth/tokens.html"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from providers.base import Field, Findings, HttpProvider, Permission
from providers.contracts.dns import EDIT, READ, Record, RecordSet, RecordSetDns, Zone, records_of
from providers.contracts.zone_file import from_zone_file
from providers.errors import NotFound


class Desec(RecordSetDns, HttpProvider):
    key = "desec"
    label = "deSEC"
    credential = "Token"
    base_url = "https://desec.io/api/v1"
    console_url = "https://desec.io/tokens"
    fields = (Field("token", "Token", secret=True),)
    permissions = (
        Permission(READ, "Read (every token has it)", "Finds the domain that a name belongs to."),
        Permission(
            EDIT,
            "perm_write on TXT records of the domain",
            "Makes the TXT records that prove the domain is yours.",
        ),
    )
    used_for = (
        "Find the zone of a domain",
        "Make and remove TXT records for DNS-01 challenges",
        "Show the records of its zones, and add and remove some",
    )
    steps = (
        "Sign in to deSEC and open Token Management.",
        "Add a token, name it, and leave all switches off: it need not manage tokens or make domains.",
        "To limit it, give it a default policy without write permission, and one for your domain with it.",
        "Save, and copy the token: it is shown once.",
    )
    notes = (
        "A token without policies may change the records of every domain of the account.",
        "deSEC takes 15 changes a minute and 300 a day for a domain; Deploynix waits when it is told to.",
    )
    # A domain's `minimum_ttl`; less is by arrangement with deSEC: .../en/latest/dns/domains.html
    shortest_ttl = 3600

    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Token {self.values['token']}"}

    def zones(self) -> Iterable[Zone]:
        # The empty cursor asks for pages: without it, more than 500 domains are an error.
        for page in self.linked_pages("/domains/", READ, params={"cursor": ""}):
            yield from (Zone(row["name"], row["name"]) for row in page)

    def zone_named(self, name: str) -> Zone | None:
        try:
            self.call("GET", f"/domains/{quote(name, safe='')}/", READ)
        except NotFound:
            return None
        return Zone(name, name)

    def all_records(self, zone: Zone) -> Iterable[Record]:
        for page in self.linked_pages(f"/domains/{zone.id}/rrsets/", EDIT, params={"cursor": ""}):
            for found in page:
                yield from records_of(zone.name_of(found["subname"]), found["type"], found["records"], found["ttl"])

    def read_set(self, zone: Zone, name: str, type: str) -> RecordSet:  # noqa: A002 -- its name in DNS
        try:
            label = quote(zone.label_of(name) or "@", safe="@")
            body = self.call("GET", f"/domains/{zone.id}/rrsets/{label}/{type}/", EDIT)
        except NotFound:
            return RecordSet({})
        return RecordSet({from_zone_file(type, row): row for row in body["records"]}, body["ttl"])

    def write_set(self, zone: Zone, name: str, type: str, seen: RecordSet, rows: Sequence[Any], ttl: int) -> None:  # noqa: A002
        """An update of many makes what is not there yet, and takes away what has no records left."""
        changed = {"subname": zone.label_of(name), "type": type, "ttl": ttl, "records": [*rows]}
        self.call("PATCH", f"/domains/{zone.id}/rrsets/", EDIT, json=[changed])

    def verify(self) -> Findings:
        findings = super().verify()
        if self.ask("GET", "/auth/tokens/").is_ok:
            fix = "Make a token without perm_manage_tokens."
            return findings.with_excess(READ, "The token may also make and change tokens.", fix)
        return findings

    def error_text(self, body: Any) -> str:
        """{"detail": "..."}, or the complaints about each part of an update: [{"ttl": ["..."]}]."""
        if isinstance(body, list):
            return "; ".join(f"{field}: {', '.join(texts)}" for part in body for field, texts in part.items())
        return str(body["detail"])
