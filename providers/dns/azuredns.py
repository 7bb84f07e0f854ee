"""Azure DNS. https://learn.microsoft.com/rest/api/dns/

Signed in to by client credentials: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from deploynix.http import Answer
from providers.answers import MISREAD
from providers.base import MOST_PAGES, Field, Permission
from providers.clients.oauth import OAuthProvider
from providers.contracts.dns import EDIT, READ, TYPES, Record, RecordSet, RecordSetDns, Zone
from providers.contracts.zone_file import plain_value
from providers.errors import Conflict, InvalidCredential, NotFound, ProviderError

API_VERSION = "2018-05-01"
UUID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
# Bytes of one string of a TXT record: RFC 1035, section 3.3.14.
STRING = 255
# Codes of errors that say that the credential points to a place that there is not.
ELSEWHERE = {"ResourceGroupNotFound", "SubscriptionNotFound", "InvalidSubscriptionId"}
# Where a record set keeps its values, and the property that holds one.
LISTS = {"A": ("ARecords", "ipv4Address"), "AAAA": ("AAAARecords", "ipv6Address"), "TXT": ("TXTRecords", "value")}


class AzureDns(RecordSetDns, OAuthProvider):
    key = "azuredns"
    label = "Azure DNS"
    last_writer_wins = False
    credential = "client secret"
    base_url = "https://management.azure.com"
    login_url = "https://login.microsoftonline.com"
    console_url = "https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationsListBlade"
    fields = (
        Field("tenant_id", "Directory (tenant) ID", pattern=UUID),
        Field("client_id", "Application (client) ID", pattern=UUID),
        Field("client_secret", "Client secret", secret=True, help_text="Its value, not its ID."),
        Field("subscription_id", "Subscription ID", pattern=UUID),
        Field("resource_group", "Resource group", help_text="The one that holds the DNS zone."),
    )
    permissions = (
        Permission(
            READ,
            "Microsoft.Network/dnsZones/read",
            "Finds the zone that holds your domain. Part of the role DNS Zone Contributor.",
        ),
        Permission(
            EDIT,
            "Microsoft.Network/dnsZones/TXT/read, /write and /delete",
            "Makes the TXT records that prove the domain is yours. Part of the role DNS Zone Contributor.",
        ),
    )
    used_for = (
        "Find the zone of a domain",
        "Make and remove TXT records for DNS-01 challenges",
        "Show the records of its zones, and add and remove some",
    )
    steps = (
        "In the Entra admin center open App registrations and register an application for Deploynix.",
        "Its overview shows the application's and the directory's ID.",
        "Under Certificates & secrets add a client secret, and copy its value: it is shown once.",
        "In the Azure portal open the resource group of the zone, then Access control (IAM) → Add role assignment.",
        "Choose the role DNS Zone Contributor and the application as its member.",
    )
    notes = (
        "A role of your own that opens TXT records alone is enough for certificates, not to show a zone's records.",
        "Azure does not tell when a client secret ends: note the date, and replace the secret here before it.",
        "The role belongs on the resource group. On the subscription it would open every zone of yours.",
    )
    shortest_ttl = 60

    @property
    def token_url(self) -> str:
        return f"{self.login_url}/{quote(self.values['tenant_id'], safe='')}/oauth2/v2.0/token"

    @property
    def address(self) -> str:
        subscription, group = (quote(self.values[name], safe="") for name in ("subscription_id", "resource_group"))
        return (
            f"{self.base_url}/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network/dnsZones"
        )

    @classmethod
    def parse(cls, text: str) -> dict[str, str]:
        """A JSON object with the fields."""
        try:
            given = json.loads(text)
        except ValueError:
            given = None
        names = [field.name for field in cls.fields]
        if not isinstance(given, dict) or not all(isinstance(given.get(name), str) for name in names):
            raise ValueError(f"give a JSON object with {', '.join(names)}")
        return {name: given[name] for name in names}

    def grant(self) -> Mapping[str, str]:
        return {
            "grant_type": "client_credentials",
            "client_id": self.values["client_id"],
            "client_secret": self.values["client_secret"],
            "scope": f"{AzureDns.base_url}/.default",
        }

    def ask(self, method: str, path: str, **options: Any) -> Answer:
        params = {"api-version": API_VERSION}
        # A link to the next page holds the version already.
        is_link = path.startswith(f"{self.base_url}/")
        return super().ask(method, path, **options, **({} if is_link else {"params": params}))

    def zones(self) -> Iterable[Zone]:
        return (_zone(row) for row in self._pages("", READ))

    def zone_named(self, name: str) -> Zone | None:
        try:
            return _zone(self.call("GET", f"/{quote(name, safe='')}", READ))
        except NotFound:
            return None

    def all_records(self, zone: Zone) -> Iterable[Record]:
        for type in TYPES:  # noqa: A001 -- its name in DNS
            for found in self._pages(f"/{zone.id}/{type}", EDIT):
                name, properties = zone.name_of(found["name"]), found["properties"]
                rows = _rows(type, properties)
                yield from (Record(name, type, _plain(type, row), properties["TTL"]) for row in rows)

    def read_set(self, zone: Zone, name: str, type: str) -> RecordSet:  # noqa: A002
        try:
            found = self.call("GET", self._path(zone, name, type), EDIT)
        except NotFound:
            return RecordSet({})
        properties = found["properties"]
        return RecordSet({_plain(type, row): row for row in _rows(type, properties)}, properties["TTL"], found)

    def write_set(self, zone: Zone, name: str, type: str, seen: RecordSet, rows: Sequence[Any], ttl: int) -> None:  # noqa: A002
        path, kept = self._path(zone, name, type), seen.version and seen.version["properties"]
        if kept and (kept.get("targetResource") or {}).get("id"):
            raise Conflict(
                f"{name} is an alias of an Azure resource.", "Change it in Azure: Deploynix leaves it alone."
            )
        condition = {"If-Match": seen.version["etag"]} if seen.version else {"If-None-Match": "*"}
        if not rows:
            self.call("DELETE", path, EDIT, headers=condition)
            return
        written = {"CNAMERecord": rows[0]} if type == "CNAME" else {LISTS[type][0]: list(rows)}
        properties = {"TTL": ttl, "metadata": (kept or {}).get("metadata") or {}, **written}
        self.call("PUT", path, EDIT, headers=condition, json={"properties": properties})

    def row_of(self, type: str, value: str) -> dict[str, Any]:  # noqa: A002
        if type == "CNAME":
            return {"cname": value}
        return {LISTS[type][1]: _strings(value) if type == "TXT" else value}

    def error_of(self, answer: Answer, permission: str = "") -> ProviderError:
        error = super().error_of(answer, permission)
        if _code(answer) in ELSEWHERE:
            return InvalidCredential(error.message, "Correct the subscription and the resource group.")
        return error

    def _pages(self, page: str, permission: str) -> Iterator[Any]:
        """The items of all pages."""
        for _ in range(MOST_PAGES):
            body = self.call("GET", page, permission)
            yield from body["value"]
            page = body.get("nextLink") or ""
            # The token goes along: to nobody else.
            if not page.startswith(f"{self.base_url}/"):
                return

    def _path(self, zone: Zone, name: str, type: str) -> str:  # noqa: A002
        return f"/{zone.id}/{type}/{quote(zone.label_of(name) or '@', safe='@')}"


def _zone(row: Mapping[str, Any]) -> Zone:
    return Zone(quote(row["name"], safe=""), row["name"])


def _rows(type: str, properties: Mapping[str, Any]) -> list[dict[str, Any]]:  # noqa: A002
    if type == "CNAME":
        return [properties["CNAMERecord"]] if properties.get("CNAMERecord") else []
    return properties.get(LISTS[type][0]) or []


def _plain(type: str, row: Mapping[str, Any]) -> str:  # noqa: A002
    if type == "TXT":
        return "".join(row["value"])
    return plain_value(type, row["cname" if type == "CNAME" else LISTS[type][1]])


def _strings(value: str) -> list[str]:
    """Of at most as many bytes as one can have; no letter is cut in two."""
    parts = [""]
    for letter in value:
        if len((parts[-1] + letter).encode()) > STRING:
            parts.append("")
        parts[-1] += letter
    return parts


def _code(answer: Answer) -> str:
    """The code of an error; empty where it has none."""
    try:
        return str(answer.json()["error"]["code"])
    except MISREAD:
        return ""
