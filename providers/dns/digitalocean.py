"""DigitalOcean DNS. https://docs.digitalocean.com/reference/api/reference/domain-records/"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from providers.base import Findings, Permission, PermissionCheck, Verdict
from providers.clients.digitalocean import DigitalOceanClient
from providers.contracts.dns import EDIT, READ, TYPES, Record, RecordDns, Zone, only
from providers.errors import NotFound

REMOVE = "removal"
# No record has this number.
NO_RECORD = 0
MOST_NAMED = 5


class DigitalOceanDns(DigitalOceanClient, RecordDns):
    key = "digitalocean"
    label = "DigitalOcean"
    permissions = (
        Permission(READ, "domain:read", "Finds the domain that holds your name, and its records."),
        Permission(EDIT, "domain:create", "Makes the TXT records that prove the domain is yours."),
        Permission(REMOVE, "domain:delete", "Removes these records when the certificate is there."),
    )
    used_for = (
        "Find the domain of a name",
        "Make and remove TXT records for DNS-01 challenges",
        "Show the records of its zones, and add and remove some",
    )
    steps = (
        "Sign in to the DigitalOcean control panel, and open API → Tokens.",
        "Choose Generate New Token, give it a name, and the shortest expiry that suits you.",
        "Choose Custom Scopes, and under domain tick read, create and delete.",
        "Choose Generate Token, and copy it: it is shown once.",
    )
    notes = (
        "The scope domain:update does the work of create and delete, and cannot delete a whole domain.",
        "A token for servers works as well, where it has these scopes; one for each job is safer.",
    )

    def zones(self) -> Iterable[Zone]:
        return (Zone(row["name"], row["name"]) for row in self.pages("/domains", "domains", READ))

    def zone_named(self, name: str) -> Zone | None:
        try:
            self.call("GET", f"/domains/{quote(name, safe='')}", READ)
        except NotFound:
            return None
        return Zone(name, name)

    def all_records(self, zone: Zone) -> Iterable[Record]:
        return self._records(zone)

    def records(self, zone: Zone, name: str, type: str) -> Sequence[Record]:  # noqa: A002 -- its name in DNS
        return only(self._records(zone, name=name, type=type), name, type)

    def add_record(self, zone: Zone, name: str, type: str, value: str, ttl: int) -> None:  # noqa: A002
        # Without the dot a target is taken as relative to the domain.
        data = f"{value}." if type == "CNAME" else value
        body = {"type": type, "name": zone.label_of(name) or "@", "data": data, "ttl": ttl}
        self.call("POST", f"/domains/{zone.id}/records", EDIT, json=body)

    def delete_record(self, zone: Zone, record: Record) -> None:
        self.call("DELETE", f"/domains/{zone.id}/records/{record.id}", REMOVE)

    def verify(self) -> Findings:
        info = self.token_info()
        findings = replace(self._probed(), expires_at=info.expires_at)
        spare = sorted(scope for scope in info.scopes if scope.partition(":")[0] not in ("domain", "api"))
        if not spare:
            return findings
        more = f" and {len(spare) - MOST_NAMED} more" if len(spare) > MOST_NAMED else ""
        evidence = f"The token also has the scopes {', '.join(spare[:MOST_NAMED])}{more}."
        return findings.with_excess(EDIT, evidence, "Make a token with custom scopes: only those of domain.")

    def _records(self, zone: Zone, **query: str) -> Iterator[Record]:
        rows = self.pages(f"/domains/{zone.id}/records", "domain_records", READ, **query)
        return (
            Record(zone.name_of(row["name"]), row["type"], _value(zone, row), row["ttl"], str(row["id"]))
            for row in rows
            if row["type"] in TYPES
        )

    def _probed(self) -> Findings:
        """Removing is tried first: without it, the probe's own record would stay."""
        zone, reading = self._readable_zone()
        if zone is None:
            add_a_domain = "Add a domain at DigitalOcean, then check again."
            removing = PermissionCheck(REMOVE, Verdict.UNTESTABLE, "There is no domain to try it on.", add_a_domain)
            return Findings((*reading, *self._untested_edit(), removing))
        removing = self.probe(REMOVE, "DELETE", f"/domains/{zone.id}/records/{NO_RECORD}")
        if removing.verdict == Verdict.DENIED:
            why = "Not tried, because the record could not be removed again."
            editing = PermissionCheck(EDIT, Verdict.UNTESTABLE, why, removing.fix)
        else:
            editing = self._edit_check(zone)
        return Findings((*reading, editing, removing))


def _value(zone: Zone, row: Mapping[str, Any]) -> str:
    """DigitalOcean shows the domain itself as "@" where it is a target."""
    value: str = zone.name if (row["type"], row["data"]) == ("CNAME", "@") else row["data"]
    return value
