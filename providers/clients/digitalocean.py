"""What DigitalOcean's servers and DNS have in common. https://docs.digitalocean.com/reference/api/"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from providers.base import Field, HttpProvider, numbered_pages

# The most that DigitalOcean takes.
PER_PAGE = 200
# It is not part of the API, but what DigitalOcean's own command line asks:
# https://github.com/digitalocean/doctl/blob/main/do/oauth.go
TOKEN_INFO = "https://cloud.digitalocean.com/v1/oauth/token/info"  # noqa: S105 -- an address


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """What a token says about itself; both are empty where DigitalOcean does not tell."""

    scopes: frozenset[str] = frozenset()
    expires_at: datetime | None = None


class DigitalOceanClient(HttpProvider):
    base_url = "https://api.digitalocean.com/v2"
    credential = "API Token"
    console_url = "https://cloud.digitalocean.com/account/api/tokens"
    fields = (
        Field(
            "api_token",
            "API Token",
            secret=True,
            help_text="A personal access token with custom scopes; it begins with dop_v1_.",
        ),
    )

    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.values['api_token']}"}

    def pages(self, path: str, key: str, permission: str = "", **query: Any) -> Iterator[Any]:
        """The items of all pages, which an answer holds under the key."""

        def page(number: int) -> tuple[list[Any], bool]:
            params = {**query, "page": number, "per_page": PER_PAGE}
            body = self.call("GET", path, permission, params=params)
            return body[key], "next" not in (body.get("links") or {}).get("pages", {})

        return numbered_pages(page)

    def token_info(self) -> TokenInfo:
        answer = self.ask("GET", TOKEN_INFO)
        try:
            body = answer.json() if answer.is_ok else {}
            seconds = body.get("expires_in_seconds")
            ends = datetime.now(UTC) + timedelta(seconds=seconds) if seconds else None
            return TokenInfo(frozenset(body.get("scopes") or ()), ends)
        # Nobody promises what it answers, and everything works without it.
        except (ValueError, TypeError, AttributeError):
            return TokenInfo()
