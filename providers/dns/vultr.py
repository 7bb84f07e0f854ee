"""Vultr DNS. https://www.vultr.com/api/#tag/dns"""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from providers.base import Findings, Permission
from providers.clients.vultr import VultrClient
from providers.contracts.dns import EDIT, READ, TYPES, Record, RecordDns, Zone
from providers.errors import ProviderError

ACLS = frozenset({"dns"})
# What Vultr answers for a domain that the account has not.
UNKNOWN_DOMAIN = (400, 404)


class VultrDns(VultrClient, RecordDns):
    key = "vultr"
    label = "Vultr"
    permissions = (
        Permission(READ, "Manage DNS (dns): read", "Finds the domain that holds your name, and its records."),
        Permission(EDIT, "Manage DNS (dns): write", "Makes the TXT records that prove the domain is yours."),
    )
    used_for = (
        "Find the domain of a name",
        "Make and remove TXT records for DNS-01 challenges",
        "Show the records of its zones, and add and remove some",
    )
    steps = (
        "Sign in to the Vultr console, and open Account → Users.",
        "Add a user for Deploynix whose only permission is Manage DNS, with API access enabled.",
        "Open that user, make an API key, and copy it: it is shown once.",
        "Where Access Control lists addresses, add that of this Deploynix server.",
    )
    gates = (
        "The user's API access must be enabled.",
        "Where Access Control limits the addresses that may call, that of this Deploynix server must be among them.",
    )
    notes = (
        "The key of the account's owner works too, but opens everything.",
        "A key for servers works as well, where its user may also manage DNS.",
    )

    def zones(self) -> Iterable[Zone]:
        return (Zone(row["domain"], row["domain"]) for row in self.pages("/domains", "domains", READ))

    def zone_named(self, name: str) -> Zone | None:
        answer = self.ask("GET", f"/domains/{quote(name, safe='')}")
        if answer.status in UNKNOWN_DOMAIN:
            return None
        if not answer.is_ok:
            raise self.error_of(answer, READ)
        return Zone(name, name)

    def all_records(self, zone: Zone) -> Iterable[Record]:
        rows = self.pages(f"/domains/{zone.id}/records", "records", READ)
        return (
            Record(zone.name_of(row["name"]), row["type"], _bare(row), row["ttl"], row["id"])
            for row in rows
            if row["type"] in TYPES
        )

    def add_record(self, zone: Zone, name: str, type: str, value: str, ttl: int) -> None:  # noqa: A002 -- its name in DNS
        # Vultr wants quotes around a text, and knows no way to write one inside.
        if type == "TXT" and '"' in value:
            raise ProviderError("Vultr takes no quotation marks in a TXT value.")
        data = f'"{value}"' if type == "TXT" else value
        body = {"name": zone.label_of(name), "type": type, "data": data, "ttl": ttl}
        self.call("POST", f"/domains/{zone.id}/records", EDIT, json=body)

    def delete_record(self, zone: Zone, record: Record) -> None:
        self.call("DELETE", f"/domains/{zone.id}/records/{record.id}", EDIT)

    def verify(self) -> Findings:
        return self.with_account(super().verify(), EDIT, ACLS)


def _bare(row: Mapping[str, Any]) -> str:
    data = str(row["data"])
    return data[1:-1] if row["type"] == "TXT" and data.startswith('"') else data
