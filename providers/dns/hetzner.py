"""Hetzner DNS, which is a part of the Cloud API. https://docs.hetzner.cloud/reference/cloud#zones"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from providers.base import Findings, Permission
from providers.clients.hetzner import HetznerClient
from providers.contracts.dns import EDIT, READ, TYPES, DnsProvider, Record, Zone, records_of, refuse_second_alias
from providers.contracts.zone_file import from_zone_file, to_zone_file
from providers.errors import NotFound, ProviderError, Unavailable

# Seconds, and how often: a change of a zone takes a moment.
PAUSE, LOOKS = 1.0, 30


class Hetzner(HetznerClient, DnsProvider):
    key = "hetzner"
    label = "Hetzner"
    fields = (
        replace(
            HetznerClient.fields[0],
            help_text="Of the project that holds the zone. Tokens of the former DNS Console no longer work.",
        ),
    )
    permissions = (
        Permission(READ, "Read", "Finds the zone that holds your domain."),
        Permission(EDIT, "Read & Write", "Makes the TXT records that prove the domain is yours."),
    )
    used_for = (
        "Find the zone of a domain",
        "Make and remove TXT records for DNS-01 challenges",
        "Show the records of its zones, and add and remove some",
    )
    steps = (
        "Sign in to the Hetzner Console and make a project that is for DNS alone.",
        "Move the zone there, or add it under DNS.",
        "In that project open Security → API tokens and choose Generate API token.",
        "Give it Read & Write, and copy it: it is shown once.",
    )
    notes = (
        "There are no tokens for DNS alone: each reaches everything in its project, servers too.",
        "Zones that Hetzner copies from elsewhere (secondary zones) cannot be changed.",
    )

    def zones(self) -> Iterable[Zone]:
        return self._zones()

    def zone_named(self, name: str) -> Zone | None:
        return next(iter(self._zones(name=name)), None)

    def all_records(self, zone: Zone) -> Iterable[Record]:
        for found in self.pages(f"/zones/{zone.id}/rrsets", "rrsets", READ, type=TYPES):
            rows = [row["value"] for row in found["records"]]
            yield from records_of(zone.name_of(found["name"]), found["type"], rows, found["ttl"] or 0)

    def records(self, zone: Zone, name: str, type: str) -> Sequence[Record]:  # noqa: A002 -- its name in DNS
        """The id of each is its value as Hetzner writes it."""
        try:
            found = self.call("GET", _path(zone, name, type), EDIT)["rrset"]
        except NotFound:
            return []
        rows = [row["value"] for row in found["records"]]
        return [Record(name, type, from_zone_file(type, row), found["ttl"] or 0, row) for row in rows]

    def put_value(self, zone: Zone, name: str, type: str, value: str, ttl: int) -> None:  # noqa: A002
        """Hetzner adds to what is there at that moment, and refuses a TTL that is not the one of the neighbours."""
        found = [record.value for record in self.records(zone, name, type)]
        if value in found:
            return
        refuse_second_alias(name, type, found)
        body: dict[str, Any] = {"records": [{"value": to_zone_file(type, value)}]}
        if not found:
            body["ttl"] = ttl
        self._change(f"{_path(zone, name, type)}/actions/add_records", body)

    def take_value(self, zone: Zone, name: str, type: str, value: str) -> None:  # noqa: A002
        gone = [{"value": record.id} for record in self.records(zone, name, type) if record.value == value]
        if gone:
            self._change(f"{_path(zone, name, type)}/actions/remove_records", {"records": gone})

    def verify(self) -> Findings:
        findings = super().verify()
        servers = self.ask("GET", "/servers", params={"per_page": 1})
        if servers.is_ok and servers.json()["servers"]:
            fix = "Make a project for DNS alone, move the zone there, and use a token of that project."
            return findings.with_excess(READ, "The same token reaches the servers of the project.", fix)
        return findings

    def _zones(self, **query: Any) -> Iterable[Zone]:
        return (Zone(str(row["id"]), row["name"]) for row in self.pages("/zones", "zones", READ, **query))

    def _change(self, path: str, body: Any) -> None:
        """Waits until it is done: what is read before that may be what was."""
        action = self.call("POST", path, EDIT, json=body)["action"]
        for look in range(LOOKS):
            if action["status"] != "running":
                break
            time.sleep(PAUSE if look else 0.0)
            action = self.call("GET", f"/zones/actions/{action['id']}", READ)["action"]
        if action["status"] == "error":
            raise ProviderError(f"{self.label} could not change the zone: {action['error']['message']}")
        if action["status"] != "success":
            raise Unavailable(f"{self.label} has not changed the zone after {LOOKS * PAUSE:.0f} seconds.")


def _path(zone: Zone, name: str, type: str) -> str:  # noqa: A002
    return f"/zones/{zone.id}/rrsets/{quote(zone.label_of(name) or '@', safe='@')}/{type}"
