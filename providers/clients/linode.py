"""What Linode's servers and DNS have in common. https://techdocs.akamai.com/linode-api/reference/api"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from deploynix.http import Answer
from providers.base import Field, HttpProvider, numbered_pages
from providers.errors import InvalidCredential, MissingPermission, ProviderError

# The most that Linode takes.
PER_PAGE = 500
OUT_OF_SCOPE = "not authorized to use this endpoint"
READS_TOKENS = frozenset({"*", "account:read_only", "account:read_write"})


@dataclass(frozen=True, slots=True)
class Profile:
    """Whose token it is, and its scopes, as in `domains:read_write`; "*" is everything."""

    username: str
    scopes: frozenset[str]


class LinodeClient(HttpProvider):
    base_url = "https://api.linode.com/v4"
    credential = "Personal Access Token"
    console_url = "https://cloud.linode.com/profile/tokens"
    fields = (Field("access_token", "Personal Access Token", secret=True),)

    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.values['access_token']}"}

    def pages(self, path: str, permission: str = "", **wanted: Any) -> Iterator[Any]:
        """The items of all pages that have these values.

        https://techdocs.akamai.com/linode-api/reference/filtering-and-sorting
        """
        headers = {"X-Filter": json.dumps(wanted)} if wanted else {}

        def page(number: int) -> tuple[list[Any], bool]:
            params = {"page": number, "page_size": PER_PAGE}
            body = self.call("GET", path, permission, params=params, headers=headers)
            return body["data"], body["page"] >= body["pages"]

        return numbered_pages(page)

    def error_of(self, answer: Answer, permission: str = "") -> ProviderError:
        error = super().error_of(answer, permission)
        # Linode answers 401 both to a token that it does not know and to one without the scope.
        if isinstance(error, InvalidCredential) and OUT_OF_SCOPE in error.message:
            return MissingPermission(permission, error.message, self.how_to_grant(permission))
        return error

    def error_text(self, body: Any) -> str:
        return "; ".join(": ".join(filter(None, (each.get("field"), each["reason"]))) for each in body["errors"])

    def profile(self) -> Profile:
        """Any token may ask for it."""
        body, headers = self.exchange("GET", "/profile")
        scopes = headers.get("X-OAuth-Scopes", "").replace(",", " ").split()
        return Profile(body.get("username", ""), frozenset(scopes))

    def expires_at(self, scopes: frozenset[str]) -> datetime | None:
        """When the token ends; None where it does not, or where its scopes do not let it ask."""
        if not scopes & READS_TOKENS:
            return None
        for row in self.pages("/profile/tokens"):
            # Linode shows the first 16 characters of each.
            if row["token"] and self.values["access_token"].startswith(row["token"]):
                return datetime.fromisoformat(row["expiry"]).replace(tzinfo=UTC) if row["expiry"] else None
        return None
