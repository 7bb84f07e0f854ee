"""DNSimple. https://developer.dnsimple.com/v2/zones/records/"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from django.utils.functional import cached_property

from providers.base import Field, Findings, Permission, numbered_pages
from providers.contracts.dns import EDIT, READ, TYPES, Record, RecordDns, Zone, only
from providers.contracts.zone_file import quoted, unquoted
from providers.errors import InvalidCredential, NotFound

# The most that DNSimple takes: https://developer.dnsimple.com/v2/#pagination
PER_PAGE = 100


class DnSimple(RecordDns):
    key = "dnsimple"
    label = "DNSimple"
    credential = "Account access token"
    base_url = "https://api.dnsimple.com/v2"
    console_url = "https://dnsimple.com/user"
    fields = (
        Field(
            "access_token",
            "Account access token",
            secret=True,
            help_text="An account token, not a user token, which opens all accounts of the user.",
        ),
        Field(
            "zone",
            "Zone",
            required=False,
            help_text="For a token that is limited to one zone: its name, as in example.com.",
        ),
    )
    permissions = (
        Permission(READ, "Zones: read", "Finds the zone that holds your domain, and its records."),
        Permission(EDIT, "Zones: full access", "Makes the TXT records that prove the domain is yours."),
    )
    used_for = (
        "Find the zone of a domain",
        "Make and remove TXT records for DNS-01 challenges",
        "Show the records of its zones, and add and remove some",
    )
    steps = (
        "Sign in to DNSimple, and open the account → API & Access.",
        "Under access tokens choose Add, and give the token a name.",
        "Where your plan offers scopes, give it full access to the zones that Deploynix is to use, and nothing else.",
        "Choose Generate token, and copy it: it is shown once.",
    )
    notes = ("Scopes come with the plan Teams and above; on a smaller plan a token opens the whole account.",)

    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.values['access_token']}"}

    def zones(self) -> Iterable[Zone]:
        return (Zone(row["name"], row["name"]) for row in self._pages("/zones"))

    def zone_named(self, name: str) -> Zone | None:
        try:
            self.call("GET", f"{self._home}/zones/{quote(name, safe='')}", READ)
        except NotFound:
            return None
        return Zone(name, name)

    def all_records(self, zone: Zone) -> Iterable[Record]:
        return (record for record in self._records(zone) if record.type in TYPES)

    def records(self, zone: Zone, name: str, type: str) -> Sequence[Record]:  # noqa: A002 -- its name in DNS
        return only(self._records(zone, name=zone.label_of(name), type=type), name, type)

    def add_record(self, zone: Zone, name: str, type: str, value: str, ttl: int) -> None:  # noqa: A002
        content = quoted(value) if type == "TXT" else value
        body = {"name": zone.label_of(name), "type": type, "content": content, "ttl": ttl}
        self.call("POST", f"{self._home}/zones/{zone.id}/records", EDIT, json=body)

    def delete_record(self, zone: Zone, record: Record) -> None:
        self.call("DELETE", f"{self._home}/zones/{zone.id}/records/{record.id}", EDIT)

    def verify(self) -> Findings:
        return replace(super().verify(), account=self._account["email"])

    def error_text(self, body: Any) -> str:
        details = [f"{field}: {', '.join(texts)}" for field, texts in body.get("errors", {}).items()]
        return "; ".join([str(body["message"]), *details])

    @cached_property
    def _account(self) -> Mapping[str, Any]:
        """The account of the token, whose id all addresses hold. https://developer.dnsimple.com/v2/identity/"""
        account: Mapping[str, Any] | None = self.call("GET", "/whoami")["data"]["account"]
        if account is None:
            raise InvalidCredential("This is a user token.", "It opens all the user's accounts: make an account token.")
        return account

    @property
    def _home(self) -> str:
        return f"/{self._account['id']}"

    def _records(self, zone: Zone, **query: Any) -> Iterator[Record]:
        return (
            Record(zone.name_of(row["name"]), row["type"], unquoted(row["content"]), row["ttl"], str(row["id"]))
            for row in self._pages(f"/zones/{zone.id}/records", **query)
        )

    def _pages(self, path: str, **query: Any) -> Iterator[Any]:
        def page(number: int) -> tuple[list[Any], bool]:
            params = {**query, "page": number, "per_page": PER_PAGE}
            body = self.call("GET", f"{self._home}{path}", READ, params=params)
            return body["data"], body["pagination"]["current_page"] >= body["pagination"]["total_pages"]

        return numbered_pages(page)
