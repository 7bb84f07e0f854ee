"""Name.com. https://docs.name.com/"""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any

from providers.base import Field, Permission, numbered_pages
from providers.contracts.dns import EDIT, READ, TYPES, Record, RecordDns, Zone
from providers.contracts.zone_file import unquoted

PER_PAGE = 1000


class NameCom(RecordDns):
    key = "namecom"
    label = "Name.com"
    credential = "API token"
    base_url = "https://api.name.com/core/v1"
    console_url = "https://www.name.com/account/settings/api"
    fields = (
        Field("username", "User name", help_text="As you sign in with it, without -test at its end."),
        Field("api_token", "API token", secret=True),
    )
    permissions = (
        Permission(READ, "API access to domains", "Finds the domain that a name belongs to."),
        Permission(EDIT, "API access to DNS records", "Makes the TXT records that prove the domain is yours."),
    )
    used_for = (
        "Find the zone of a domain",
        "Make and remove TXT records for DNS-01 challenges",
        "Show the records of its zones, and add and remove some",
    )
    steps = (
        "Sign in to Name.com and open Account → Settings → API.",
        "Generate a token, and copy the one for production with your user name.",
        "With two-step verification, switch on Name.com API Access under Security Settings.",
    )
    notes = (
        "A token has no permissions of its own: it may do what the account may, buy domains as well.",
        "The domain has to use the name servers of Name.com.",
        "The shortest TTL is five minutes.",
    )
    # "name.com allows a minimum TTL of 300, or 5 minutes": https://docs.name.com/api/v1/reference/dns/create-record
    shortest_ttl = 300

    def headers(self) -> Mapping[str, str]:
        pair = f"{self.values['username']}:{self.values['api_token']}"
        return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}

    @classmethod
    def parse(cls, text: str) -> dict[str, str]:
        """`user:token`."""
        username, _, token = text.partition(":")
        if not username or not token:
            raise ValueError("give the user name and the token as user:token")
        return {"username": username, "api_token": token}

    def zones(self) -> Iterable[Zone]:
        return self._zones()

    def zone_named(self, name: str) -> Zone | None:
        return next((zone for zone in self._zones(domainName=name) if zone.name == name), None)

    def all_records(self, zone: Zone) -> Iterable[Record]:
        """Name.com leaves out fields that are empty."""
        return (
            Record(zone.name_of(row.get("host") or ""), row["type"], _plain(row), row["ttl"], str(row["id"]))
            for row in self._rows(f"/domains/{zone.id}/records", "records", EDIT)
            if row["type"] in TYPES
        )

    def add_record(self, zone: Zone, name: str, type: str, value: str, ttl: int) -> None:  # noqa: A002 -- its name in DNS
        body = {"host": zone.label_of(name), "type": type, "answer": value, "ttl": ttl}
        self.call("POST", f"/domains/{zone.id}/records", EDIT, json=body)

    def delete_record(self, zone: Zone, record: Record) -> None:
        self.call("DELETE", f"/domains/{zone.id}/records/{record.id}", EDIT)

    def how_to_grant(self, permission: str) -> str:
        return (
            "With two-step verification, switch on Name.com API Access under Security Settings. "
            "The domain must not have expired, and must use the name servers of Name.com."
        )

    def _zones(self, **query: Any) -> Iterable[Zone]:
        return (Zone(row["domainName"], row["domainName"]) for row in self._rows("/domains", "domains", READ, **query))

    def _rows(self, path: str, field: str, permission: str, **query: Any) -> Iterable[Any]:
        def page(number: int) -> tuple[list[Any], bool]:
            body = self.call("GET", path, permission, params={**query, "page": number, "perPage": PER_PAGE})
            return body.get(field) or [], not body.get("nextPage")

        return numbered_pages(page)


def _plain(row: Mapping[str, Any]) -> str:
    return unquoted(row.get("answer", ""))
