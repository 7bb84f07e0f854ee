"""Porkbun. https://porkbun.com/api/json/v3/documentation"""

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import quote

from deploynix.http import Answer
from providers.base import MOST_PAGES, Field, Permission
from providers.contracts.dns import EDIT, READ, TYPES, Record, RecordDns, Zone, only
from providers.contracts.zone_file import unquoted
from providers.errors import InvalidCredential, MissingPermission, NotFound, ProviderError

# What one answer of `domain/listAll` holds.
PER_PAGE = 1000
# Seconds. Calls that come faster than about one a second are turned away with 503 before they are looked at.
PAUSES = (1.0, 2.0)


class Porkbun(RecordDns):
    key = "porkbun"
    label = "Porkbun"
    credential = "API key"
    base_url = "https://api.porkbun.com/api/json/v3"
    console_url = "https://porkbun.com/account/api"
    fields = (
        Field("api_key", "API key", secret=True, help_text="Begins with pk1_."),
        Field("secret_api_key", "Secret API key", secret=True, help_text="Begins with sk1_."),
        Field(
            "zone",
            "Domain to check with",
            required=False,
            help_text="One with API access switched on. Without it, the first domain of the account is tried.",
        ),
    )
    permissions = (
        Permission(READ, "API key of the account", "Finds the domain that a name belongs to."),
        Permission(EDIT, "API Access of the domain", "Makes the TXT records that prove the domain is yours."),
    )
    used_for = (
        "Find the zone of a domain",
        "Make and remove TXT records for DNS-01 challenges",
        "Show the records of its zones, and add and remove some",
    )
    steps = (
        "Sign in to Porkbun and open Account → API Access.",
        "Choose Create API Key, and copy the key and the secret key: the secret one is shown once.",
        "Open Domain Management, then the details of each domain that Deploynix is to use, and switch on API Access.",
    )
    gates = ("Each domain has a switch of its own, API Access, which is off at first.",)
    notes = (
        "A key has no permissions of its own: it reaches every domain whose API access is switched on.",
        "The domain has to use Porkbun's own name servers.",
        "The shortest TTL is ten minutes.",
    )
    # "The minimum and the default is 600 seconds."
    shortest_ttl = 600

    @classmethod
    def parse(cls, text: str) -> dict[str, str]:
        """`apikey:secretapikey`."""
        key, _, secret = text.partition(":")
        if not key or not secret:
            raise ValueError("give the two keys as apikey:secretapikey")
        return {"api_key": key, "secret_api_key": secret}

    def zones(self) -> Iterable[Zone]:
        for start in range(0, MOST_PAGES * PER_PAGE, PER_PAGE):
            names = [row["domain"] for row in self._post("/domain/listAll", READ, start=str(start))["domains"]]
            yield from (Zone(name, name) for name in names)
            if len(names) < PER_PAGE:
                return

    def zone_named(self, name: str) -> Zone | None:
        """Asked by a call that only a domain of the account answers: there is none that looks one up."""
        try:
            self._post(f"/dns/retrieveByNameType/{quote(name, safe='')}/NS", EDIT)
        except NotFound:
            return None
        return Zone(name, name)

    def all_records(self, zone: Zone) -> Iterable[Record]:
        return self._records(f"/dns/retrieve/{zone.id}")

    def records(self, zone: Zone, name: str, type: str) -> Sequence[Record]:  # noqa: A002 -- its name in DNS
        path = f"/dns/retrieveByNameType/{zone.id}/{type}/{quote(zone.label_of(name), safe='')}".rstrip("/")
        return only(self._records(path), name, type)

    def add_record(self, zone: Zone, name: str, type: str, value: str, ttl: int) -> None:  # noqa: A002
        label = zone.label_of(name)
        self._post(f"/dns/create/{zone.id}", EDIT, name=label, type=type, content=value, ttl=str(ttl))

    def delete_record(self, zone: Zone, record: Record) -> None:
        self._post(f"/dns/delete/{zone.id}/{record.id}", EDIT)

    def ask(self, method: str, path: str, **options: Any) -> Answer:
        for pause in PAUSES:
            answer = super().ask(method, path, **options)
            if answer.status != 503:
                return answer
            time.sleep(pause)
        return super().ask(method, path, **options)

    def error_of(self, answer: Answer, permission: str = "") -> ProviderError:
        return _told(super().error_of(answer, permission))

    def _records(self, path: str) -> Iterator[Record]:
        return (
            Record(row["name"], row["type"], unquoted(row["content"]), int(row["ttl"]), str(row["id"]))
            for row in self._post(path, EDIT)["records"]
            if row["type"] in TYPES
        )

    def _post(self, path: str, permission: str, **body: str) -> Any:
        keys = {"apikey": self.values["api_key"], "secretapikey": self.values["secret_api_key"]}
        answered = self.call("POST", path, permission, json={**keys, **body})
        if answered["status"] != "SUCCESS":
            raise _told(ProviderError(f"{self.label}: {self.redacted(str(answered.get('message', '')))}"))
        return answered


def _told(error: ProviderError) -> ProviderError:
    """Porkbun says 400 to nearly everything, and what it means in words."""
    text = error.message.lower()
    if "invalid api key" in text:
        return InvalidCredential(error.message, "Make a new API key and replace this one with it.")
    if "opted in" in text:
        return MissingPermission(EDIT, error.message, "Switch on API Access in the details of the domain.")
    if "invalid domain" in text or "invalid record" in text:
        return NotFound(error.message)
    return error
