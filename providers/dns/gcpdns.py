"""Google Cloud DNS. https://cloud.google.com/dns/docs/reference/rest/v1

Signed in to as a service account: https://developers.google.com/identity/protocols/oauth2/service-account#httprest
"""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from providers.base import MOST_PAGES, Field, Findings, Permission
from providers.clients.oauth import OAuthProvider
from providers.contracts.dns import EDIT, READ, Record, RecordSet, RecordSetDns, Zone, records_of
from providers.contracts.zone_file import from_zone_file
from providers.errors import Conflict, InvalidCredential, NotFound

SCOPE = "https://www.googleapis.com/auth/ndev.clouddns.readwrite"
# Seconds; Google takes no assertion that lives longer.
ASSERTION_LIFETIME = 3600
NEEDED = ("client_email", "private_key", "project_id")


class GoogleCloudDns(RecordSetDns, OAuthProvider):
    key = "gcpdns"
    label = "Google Cloud DNS"
    last_writer_wins = False
    credential = "service account key"
    base_url = "https://dns.googleapis.com/dns/v1"
    token_url = "https://oauth2.googleapis.com/token"  # noqa: S105 -- an address
    console_url = "https://console.cloud.google.com/iam-admin/serviceaccounts"
    fields = (
        Field("key_file", "Key file", secret=True, is_long=True, help_text="The JSON file, as Google made it."),
        Field(
            "managed_zone",
            "Managed zone",
            required=False,
            pattern="[a-z]([a-z0-9-]{0,61}[a-z0-9])?",
            help_text="The zone's name in Cloud DNS (not its domain). Empty: any public zone of the project.",
        ),
    )
    permissions = (
        Permission(
            READ,
            "dns.managedZones.get, dns.managedZones.list, dns.resourceRecordSets.list",
            "Finds the zone that holds your domain, and the values that a name has already.",
        ),
        Permission(
            EDIT,
            "dns.changes.create, dns.resourceRecordSets.create, .update and .delete",
            "Makes the TXT records that prove the domain is yours.",
        ),
    )
    used_for = (
        "Find the zone of a domain",
        "Make and remove TXT records for DNS-01 challenges",
        "Show the records of its zones, and add and remove some",
    )
    steps = (
        "In the Google Cloud console choose the project of your zone, and enable the Cloud DNS API.",
        "Under IAM & Admin → Service Accounts create an account for Deploynix.",
        "Give it the role DNS Administrator (roles/dns.admin) on the project, or under Cloud DNS on the one zone.",
        "Under the account's Keys choose Add key → Create new key → JSON. The file is downloaded once.",
        "Paste the file here. With the role on one zone only, name that zone under Managed zone.",
    )
    notes = (
        "A role of your own with just the permissions listed is narrower than roles/dns.admin, and works.",
        "Private zones are left alone: nobody outside could see a proof in them.",
    )

    @property
    def address(self) -> str:
        return f"{self.base_url}/projects/{quote(self._account['project_id'], safe='')}"

    @classmethod
    def parse(cls, text: str) -> dict[str, str]:
        """The key file, with the name of the zone added to it as `managed_zone`."""
        account = _service_account(text)
        return {"managed_zone": str(account.pop("managed_zone", "")), "key_file": json.dumps(account)}

    def zones(self) -> Iterable[Zone]:
        return [self._zone_called(self._managed_zone)] if self._managed_zone else self._public_zones()

    def zone_named(self, name: str) -> Zone | None:
        only = self._managed_zone
        found = [self._zone_called(only)] if only else self._public_zones(dnsName=f"{name}.")
        return next((zone for zone in found if zone.name == name), None)

    def all_records(self, zone: Zone) -> Iterable[Record]:
        for found in self._pages(f"/managedZones/{zone.id}/rrsets", "rrsets"):
            yield from records_of(found["name"], found["type"], found.get("rrdatas", []), found.get("ttl", 0))

    def read_set(self, zone: Zone, name: str, type: str) -> RecordSet:  # noqa: A002 -- its name in DNS
        query = {"name": f"{name}.", "type": type}
        found = self.call("GET", f"/managedZones/{zone.id}/rrsets", READ, params=query).get("rrsets", [])
        if not found:
            return RecordSet({})
        rows = {from_zone_file(type, row): row for row in found[0].get("rrdatas", [])}
        return RecordSet(rows, found[0].get("ttl", 0), found[0])

    def write_set(self, zone: Zone, name: str, type: str, seen: RecordSet, rows: Sequence[Any], ttl: int) -> None:  # noqa: A002
        """One atomic change, which Google refuses where what it deletes is not exactly what is there."""
        if seen.version and seen.version.get("routingPolicy"):
            raise Conflict(f"{name} has a routing policy.", "Change it in Google's console: Deploynix leaves it alone.")
        change: dict[str, Any] = {"deletions": [seen.version]} if seen.version else {}
        if rows:
            change["additions"] = [{"name": f"{name}.", "type": type, "ttl": ttl, "rrdatas": rows}]
        try:
            self.call("POST", f"/managedZones/{zone.id}/changes", EDIT, json=change)
        except NotFound as error:
            raise Conflict(error.message, error.hint) from error

    def verify(self) -> Findings:
        return replace(super().verify(), account=self._account["client_email"])

    def grant(self) -> Mapping[str, str]:
        return {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": self._assertion()}

    def _assertion(self) -> str:
        """RFC 7523, signed as in RFC 7515 by RS256."""
        now = int(time.time())
        header = {"alg": "RS256", "typ": "JWT", "kid": self._account.get("private_key_id", "")}
        claims = {
            "iss": self._account["client_email"],
            "scope": SCOPE,
            "aud": self.token_url,
            "iat": now,
            "exp": now + ASSERTION_LIFETIME,
        }
        signed = ".".join(_encoded(json.dumps(part).encode()) for part in (header, claims))
        return f"{signed}.{_encoded(self._private_key().sign(signed.encode(), PKCS1v15(), SHA256()))}"

    def _private_key(self) -> RSAPrivateKey:
        try:
            key = load_pem_private_key(self._account["private_key"].encode(), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, RSAPrivateKey):
            raise InvalidCredential("The private key in the key file is damaged.", "Paste the file as Google made it.")
        return key

    @property
    def _account(self) -> dict[str, str]:
        try:
            return _service_account(self.values["key_file"])
        except ValueError as error:
            raise InvalidCredential(
                f"The key file cannot be used: {error}.", "Paste the file as Google made it."
            ) from None

    @property
    def _managed_zone(self) -> str:
        """From its own field, or from the key file, where people may have added it."""
        return self.values.get("managed_zone") or self._account.get("managed_zone", "")

    def _zone_called(self, managed_zone: str) -> Zone:
        try:
            return _zone(self.call("GET", f"/managedZones/{quote(managed_zone, safe='')}", READ))
        except NotFound as error:
            raise NotFound(error.message, "Under Managed zone give its name in Cloud DNS, not its domain.") from error

    def _public_zones(self, **query: str) -> Iterable[Zone]:
        rows = self._pages("/managedZones", "managedZones", **query)
        return (_zone(row) for row in rows if row.get("visibility") != "private")

    def _pages(self, path: str, key: str, **query: str) -> Iterator[Any]:
        """The items of all pages, which an answer holds under the key, if there are any."""
        for _ in range(MOST_PAGES):
            body = self.call("GET", path, READ, params=query)
            yield from body.get(key, [])
            if not body.get("nextPageToken"):
                return
            query["pageToken"] = body["nextPageToken"]


def _service_account(text: str) -> dict[str, str]:
    """Raises ValueError, without a word of the file."""
    try:
        account = json.loads(text)
    except ValueError:
        raise ValueError("it is no JSON") from None
    if not isinstance(account, dict) or account.get("type") != "service_account":
        raise ValueError("it is not the key of a service account")
    missing = [name for name in NEEDED if not isinstance(account.get(name), str)]
    if missing:
        raise ValueError(f"it has no {missing[0]}")
    return account


def _zone(row: Mapping[str, Any]) -> Zone:
    return Zone(row["name"], row["dnsName"])


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
