"""Vercel DNS. https://vercel.com/docs/rest-api/dns"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from deploynix.http import Answer
from providers.base import MOST_PAGES, Field, Findings, Permission
from providers.contracts.dns import EDIT, READ, TYPES, Record, RecordDns, Zone
from providers.errors import InvalidCredential, MissingPermission, NotFound, ProviderError

PER_PAGE = 100


class Vercel(RecordDns):
    key = "vercel"
    label = "Vercel"
    credential = "Access Token"
    base_url = "https://api.vercel.com"
    console_url = "https://vercel.com/account/settings/tokens"
    fields = (
        Field("access_token", "Access Token", secret=True),
        Field(
            "team_id",
            "Team ID",
            required=False,
            help_text="Where the domain is a team's: Team Settings → General shows it.",
            pattern="team_[A-Za-z0-9]+",
        ),
    )
    permissions = (
        Permission(READ, "Scope: the team that owns the domain", "Finds the domain, and its records."),
        Permission(EDIT, "A role in it that may edit domains", "Makes the TXT records that prove the domain is yours."),
    )
    used_for = (
        "Find the domain of a name",
        "Make and remove TXT records for DNS-01 challenges",
        "Show the records of its zones, and add and remove some",
    )
    steps = (
        "Sign in to Vercel, and open Account Settings → Tokens.",
        "Choose Create, give the token a name, and as its scope choose the team that owns the domain.",
        "Choose an expiration, then Create Token, and copy it: it is shown once.",
        "Open Team Settings → General, and copy the Team ID.",
    )
    gates = ("The domain must use the name servers of Vercel.",)
    notes = ("A token acts as the person who made it: when they leave the team, it ends.",)

    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.values['access_token']}"}

    def ask(self, method: str, path: str, **options: Any) -> Answer:
        """As in every provider, on behalf of the team if there is one."""
        if team := self.values.get("team_id"):
            options["params"] = {**options.get("params", {}), "teamId": team}
        return super().ask(method, path, **options)

    def zones(self) -> Iterable[Zone]:
        return (Zone(row["name"], row["name"]) for row in self._pages("/v5/domains", "domains"))

    def zone_named(self, name: str) -> Zone | None:
        try:
            self.call("GET", f"/v5/domains/{quote(name, safe='')}", READ)
        except NotFound:
            return None
        return Zone(name, name)

    def all_records(self, zone: Zone) -> Iterable[Record]:
        return (
            Record(zone.name_of(row["name"]), row["type"], row["value"], row.get("ttl") or 0, row["id"])
            for row in self._pages(f"/v4/domains/{zone.id}/records", "records")
            if row["type"] in TYPES
        )

    def add_record(self, zone: Zone, name: str, type: str, value: str, ttl: int) -> None:  # noqa: A002 -- its name in DNS
        body = {"type": type, "name": zone.label_of(name), "value": value, "ttl": ttl}
        self.call("POST", f"/v2/domains/{zone.id}/records", EDIT, json=body)

    def delete_record(self, zone: Zone, record: Record) -> None:
        self.call("DELETE", f"/v2/domains/{zone.id}/records/{record.id}", EDIT)

    def verify(self) -> Findings:
        findings = super().verify()
        try:
            # https://vercel.com/docs/rest-api/authentication/get-auth-token-metadata
            token = self.call("GET", "/v5/user/tokens/current")["token"]
        except (MissingPermission, NotFound):
            return findings
        findings = replace(findings, expires_at=_time(token.get("expiresAt")))
        if not any(scope["type"] == "user" for scope in token.get("scopes", ())):
            return findings
        evidence = "GET /v5/user/tokens/current: 200; the scope is the full account."
        return findings.with_excess(EDIT, evidence, "Make a token whose scope is the team that owns the domain.")

    def error_of(self, answer: Answer, permission: str = "") -> ProviderError:
        error = super().error_of(answer, permission)
        # Vercel answers 403 also to a token that it does not know, or no longer.
        if isinstance(error, MissingPermission) and b'"invalidToken"' in answer.body:
            return InvalidCredential(error.message, f"Make a new {self.credential} and replace this one with it.")
        return error

    def error_text(self, body: Any) -> str:
        return str(body["error"]["message"])

    def _pages(self, path: str, key: str) -> Iterator[Any]:
        """Newest first; the next page is that of what was made before a time."""
        params: dict[str, Any] = {"limit": PER_PAGE}
        for _ in range(MOST_PAGES):
            body = self.call("GET", path, READ, params=params)
            yield from body[key]
            params["until"] = (body.get("pagination") or {}).get("next")
            if not params["until"]:
                return


def _time(milliseconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None
