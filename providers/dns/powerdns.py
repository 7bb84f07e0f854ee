"""PowerDNS Authoritative Server. https://doc.powerdns.com/authoritative/http-api/"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from providers.base import Field, HttpProvider, Permission
from providers.contracts.dns import EDIT, READ, Record, RecordSet, RecordSetDns, Zone, records_of
from providers.contracts.zone_file import from_zone_file, to_zone_file


class PowerDns(RecordSetDns, HttpProvider):
    key = "powerdns"
    label = "PowerDNS"
    credential = "API key"
    fields = (
        Field(
            "base_url",
            "API address",
            pattern="https?://[^\\s?#@]+",
            help_text="Where the server's API answers: https://ns1.example.com:8081",
        ),
        Field("api_key", "API key", secret=True, help_text="What stands in the server's configuration as api-key."),
        Field("server_id", "Server ID", default="localhost", help_text="Only a proxy in front uses another one."),
    )
    permissions = (
        Permission(READ, "API access", "Finds the zone that holds your domain."),
        Permission(EDIT, "API access", "Makes the TXT records that prove the domain is yours."),
    )
    used_for = (
        "Find the zone of a domain",
        "Make and remove TXT records for DNS-01 challenges",
        "Show the records of its zones, and add and remove some",
    )
    steps = (
        "In the server's configuration (pdns.conf) set api=yes, and api-key to a long random text.",
        "Set webserver-address to where it shall answer, and webserver-allow-from to this Deploynix server's address.",
        "Put a web server with TLS in front: PowerDNS itself speaks plain HTTP, which shows the key on the way.",
        "Restart PowerDNS, and enter the address and the key here.",
    )
    gates = ("The zones must be kept by this server itself (Native or Primary), not copied from another (Secondary).",)
    notes = (
        "The key opens the whole server: PowerDNS knows no narrower one. A proxy in front can limit it to zones.",
        "A server on a private network must be opened by the operator of this install (OUTBOUND_ALLOW).",
    )

    @property
    def address(self) -> str:
        server = quote(self.values.get("server_id") or "localhost", safe="")
        return f"{self.values['base_url'].rstrip('/')}/api/v1/servers/{server}"

    def headers(self) -> Mapping[str, str]:
        return {"X-API-Key": self.values["api_key"]}

    def zones(self) -> Iterable[Zone]:
        return [_zone(row) for row in self.call("GET", "/zones", READ)]

    def zone_named(self, name: str) -> Zone | None:
        found = [_zone(row) for row in self.call("GET", "/zones", READ, params={"zone": f"{name}."})]
        return next((zone for zone in found if zone.name == name), None)

    def all_records(self, zone: Zone) -> Iterable[Record]:
        """Without the values that are switched off: no name server answers them."""
        for found in self._sets(zone):
            rows = [record["content"] for record in found["records"] if not record["disabled"]]
            yield from records_of(found["name"], found["type"], rows, found["ttl"])

    def read_set(self, zone: Zone, name: str, type: str) -> RecordSet:  # noqa: A002 -- its name in DNS
        """From the whole zone: asked for one name, PowerDNS 4 leaves out the values that are switched off, and they
        would be lost with the next write."""
        for row in self._sets(zone):
            if (row["name"].lower(), row["type"]) == (f"{name}.", type):
                shown = [record for record in row["records"] if not record["disabled"]]
                rows = {from_zone_file(type, record["content"]): record for record in shown}
                return RecordSet(rows, row["ttl"], [record for record in row["records"] if record["disabled"]])
        return RecordSet({}, 0, [])

    def write_set(self, zone: Zone, name: str, type: str, seen: RecordSet, rows: Sequence[Any], ttl: int) -> None:  # noqa: A002
        """PowerDNS keeps no version of a set: of two writers at the same moment the last one wins."""
        shown = {row["content"] for row in rows}
        records = [*rows, *(record for record in seen.version if record["content"] not in shown)]
        change = {"changetype": "REPLACE", "ttl": ttl, "records": records} if records else {"changetype": "DELETE"}
        body = {"rrsets": [{"name": f"{name}.", "type": type, **change}]}
        self.call("PATCH", f"/zones/{zone.id}", EDIT, json=body)

    def row_of(self, type: str, value: str) -> dict[str, Any]:  # noqa: A002
        return {"content": to_zone_file(type, value), "disabled": False}

    def _sets(self, zone: Zone) -> Any:
        return self.call("GET", f"/zones/{zone.id}", READ)["rrsets"]


def _zone(row: Mapping[str, Any]) -> Zone:
    return Zone(row["id"], row["name"])
