"""What Hetzner's servers and DNS have in common. https://docs.hetzner.cloud/reference/cloud"""

from collections.abc import Iterator, Mapping
from typing import Any

from deploynix.http import Answer
from providers.base import Field, HttpProvider, numbered_pages
from providers.errors import Conflict, MissingPermission, ProviderError

# The most that Hetzner gives.
PER_PAGE = 50
LOCKED = 423


class HetznerClient(HttpProvider):
    base_url = "https://api.hetzner.cloud/v1"
    credential = "API Token"
    console_url = "https://console.hetzner.com/projects"
    fields = (
        Field(
            "api_token",
            "API Token",
            secret=True,
            help_text="All 64 characters; what the console shows later is only its beginning.",
        ),
    )

    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.values['api_token']}"}

    def pages(self, path: str, key: str, permission: str = "", **query: Any) -> Iterator[Any]:
        """The items of all pages, which an answer holds under the key."""

        def page(number: int) -> tuple[list[Any], bool]:
            params = {**query, "page": number, "per_page": PER_PAGE}
            body = self.call("GET", path, permission, params=params)
            return body[key], body["meta"]["pagination"]["next_page"] is None

        return numbered_pages(page)

    def error_of(self, answer: Answer, permission: str = "") -> ProviderError:
        error = super().error_of(answer, permission)
        if answer.status == LOCKED:
            return Conflict(error.message, "Something else is being done to it: try again in a minute.", retryable=True)
        if "uniqueness_error" in error.message:
            return Conflict(error.message, "Hetzner has one of the same name already: choose another.")
        # Hetzner answers 403 also where the project is full.
        if isinstance(error, MissingPermission) and "limit_exceeded" in error.message:
            return ProviderError(error.message, "Remove something from the project, or ask Hetzner for a higher limit.")
        return error

    def error_text(self, body: Any) -> str:
        return f"{body['error']['message']} ({body['error']['code']})"
