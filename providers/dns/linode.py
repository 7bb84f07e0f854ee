"""Linode DNS. https://techdocs.akamai.com/linode-api/reference/get-domain-records"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from providers.base import Findings, Permission
from providers.clients.linode import READS_TOKENS, LinodeClient
from providers.contracts.dns import EDIT, READ, TYPES, Record, RecordDns, Zone, only

NEEDED = frozenset({"domains:read_only", "domains:read_write"})


class LinodeDns(LinodeClient, RecordDns):
    key = "linode"
    label = "Linode (Akamai Cloud)"
    permissions = (
        Permission(READ, "Domains → Read Only", "Finds the domain that holds your name, and its records."),
        Permission(EDIT, "Domains → Read/Write", "Makes the TXT records that prove the domain is yours."),
    )
    used_for = (
        "Find the domain of a name",
        "Make and remove TXT records for DNS-01 challenges",
        "Show the records of its zones, and add and remove some",
    )
    steps = (
        "Sign in to Akamai Cloud Manager, and open your profile → API Tokens.",
        "Choose Create a Personal Access Token, and give it a label and an expiry.",
        "Set all to No Access, then Domains to Read/Write.",
        "Choose Create Token, and copy it: it is shown once.",
    )
    notes = (
        "Linode hands new records to its name servers every few minutes, so that certificates take longer here.",
        "Deploynix can read when a token ends only where it also has Account → Read Only.",
    )
    # The steps begin at 300: https://techdocs.akamai.com/linode-api/reference/post-domain-record
    shortest_ttl = 300

    def zones(self) -> Iterable[Zone]:
        return self._zones()

    def zone_named(self, name: str) -> Zone | None:
        return next(iter(self._zones(domain=name)), None)

    def all_records(self, zone: Zone) -> Iterable[Record]:
        return self._records(zone)

    def records(self, zone: Zone, name: str, type: str) -> Sequence[Record]:  # noqa: A002 -- its name in DNS
        return only(self._records(zone, type=type), name, type)

    def add_record(self, zone: Zone, name: str, type: str, value: str, ttl: int) -> None:  # noqa: A002
        body = {"type": type, "target": value, "ttl_sec": ttl}
        # A record of the domain itself has no name, and an empty one is not allowed.
        if label := zone.label_of(name):
            body["name"] = label
        self.call("POST", f"/domains/{zone.id}/records", EDIT, json=body)

    def delete_record(self, zone: Zone, record: Record) -> None:
        self.call("DELETE", f"/domains/{zone.id}/records/{record.id}", EDIT)

    def verify(self) -> Findings:
        profile = self.profile()
        scopes, ends = profile.scopes, self.expires_at(profile.scopes)
        findings = replace(super().verify(), expires_at=ends, account=profile.username)
        spare = sorted(scopes - NEEDED - READS_TOKENS | scopes & {"*", "account:read_write"})
        if not spare:
            return findings
        evidence = f"GET /profile: 200; the token also has the scopes {', '.join(spare)}."
        return findings.with_excess(EDIT, evidence, "Make a token that has Domains → Read/Write only.")

    def _zones(self, **wanted: str) -> Iterable[Zone]:
        """Those that can be edited here: a secondary zone is a copy of somebody else's."""
        rows = self.pages("/domains", READ, **wanted)
        return (Zone(str(row["id"]), row["domain"]) for row in rows if row["type"] == "master")

    def _records(self, zone: Zone, **wanted: str) -> Iterator[Record]:
        return (
            Record(zone.name_of(row["name"]), row["type"], row["target"], row["ttl_sec"], str(row["id"]))
            for row in self.pages(f"/domains/{zone.id}/records", READ, **wanted)
            if row["type"] in TYPES
        )
