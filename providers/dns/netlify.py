"""Netlify DNS. https://open-api.netlify.com/#tag/dnsZone"""

from collections.abc import Iterable, Mapping, Sequence

from django.utils.functional import cached_property

from providers.base import Field, Permission
from providers.contracts.dns import EDIT, READ, TYPES, Record, RecordDns, Zone


class Netlify(RecordDns):
    key = "netlify"
    label = "Netlify"
    credential = "Personal access token"
    base_url = "https://api.netlify.com/api/v1"
    console_url = "https://app.netlify.com/user/applications#personal-access-tokens"
    fields = (Field("access_token", "Personal access token", secret=True),)
    permissions = (
        Permission(READ, "A role in the team that sees its DNS zones", "Finds the zone that holds your domain."),
        Permission(EDIT, "A role in the team that edits its DNS zones", "Makes the TXT records that show it is yours."),
    )
    used_for = (
        "Find the zone of a domain",
        "Make and remove TXT records for DNS-01 challenges",
        "Show the records of its zones, and add and remove some",
    )
    steps = (
        "Sign in to Netlify as a user who is in the domain's team only, and open User settings → Applications.",
        "Under Personal access tokens choose New access token, and give it a description and an expiration.",
        "Choose Generate token, and copy it: it is shown once.",
    )
    gates = ("The domain must be a DNS zone at Netlify; one whose DNS is elsewhere cannot be used.",)
    notes = (
        "Netlify knows no smaller tokens: this one may do all that its user may. A user of its own keeps that small.",
        "Netlify does not tell when a token ends: note the date where you will see it.",
    )
    # What Netlify takes at least is not documented; this is known to work.
    shortest_ttl = 300

    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.values['access_token']}"}

    def zones(self) -> Iterable[Zone]:
        return self._zones

    def zone_named(self, name: str) -> Zone | None:
        return next((zone for zone in self._zones if zone.name == name), None)

    def all_records(self, zone: Zone) -> Iterable[Record]:
        return (
            Record(row["hostname"], row["type"], row["value"], row["ttl"] or 0, row["id"])
            for page in self.linked_pages(f"/dns_zones/{zone.id}/dns_records", READ)
            for row in page
            if row["type"] in TYPES
        )

    def add_record(self, zone: Zone, name: str, type: str, value: str, ttl: int) -> None:  # noqa: A002 -- its name in DNS
        body = {"type": type, "hostname": name, "value": value, "ttl": ttl}
        self.call("POST", f"/dns_zones/{zone.id}/dns_records", EDIT, json=body)

    def delete_record(self, zone: Zone, record: Record) -> None:
        self.call("DELETE", f"/dns_zones/{zone.id}/dns_records/{record.id}", EDIT)

    @cached_property
    def _zones(self) -> Sequence[Zone]:
        """Netlify finds no zone by name: all of them are read once."""
        pages = self.linked_pages("/dns_zones", READ)
        return [Zone(row["id"], row["name"]) for page in pages for row in page]
