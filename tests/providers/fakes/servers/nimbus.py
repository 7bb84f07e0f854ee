"""A cloud that answers what its token says: no vendor is asked."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from providers.base import Field, Findings, Permission, PermissionCheck, Verdict
from providers.contracts.servers import Image, Region, ServerProvider, Size
from providers.errors import InvalidCredential, MissingPermission, RateLimited, Unavailable

EXPIRES_AT = datetime(2031, 5, 1, 12, tzinfo=UTC)
CALLS: list[str] = []


class Nimbus(ServerProvider):
    key = "nimbus"
    label = "Nimbus"
    credential = "API Token"
    console_url = "https://nimbus.test/tokens"
    fields = (
        Field("api_token", "API Token", secret=True, pattern="[a-z0-9-]{6,}", help_text="Shown once."),
        Field("project", "Project", required=False, default="main"),
        Field("region", "Region", required=False, choices=(("ams1", "Amsterdam"), ("fra1", "Frankfurt"))),
    )
    permissions = (
        Permission("servers", "Servers: write", "Makes and removes servers."),
        Permission("images", "Images: read", "Shows what a server can start with."),
        Permission("prices", "Prices: read", "Shows what a server costs.", optional=True),
    )
    used_for = ("Make and remove servers",)
    steps = ("Open the console.", "Choose New token.")
    gates = ("The account must have a payment method.",)
    notes = ("A token belongs to one project.",)

    def verify(self) -> Findings:
        token = self.values["api_token"]
        if token.startswith("invalid"):
            raise InvalidCredential(f"Nimbus answered 401 to {token}.", "Make a new API Token.")
        if token.startswith("down"):
            raise Unavailable(f"Nimbus answered 503 to {token}.")
        if token.startswith("busy"):
            raise RateLimited("Nimbus", 30)
        if token.startswith("locked"):
            raise MissingPermission("servers", "GET /account: 403", "Give it Servers: write.")
        images = Verdict.DENIED if token.startswith("limited") else Verdict.GRANTED
        servers = Verdict.EXCESS if token.startswith("excess") else Verdict.GRANTED
        return Findings(
            (
                PermissionCheck("servers", servers, f"POST /servers with {token}: 422"),
                PermissionCheck(
                    "images", images, "GET /images: 403", "Give the API Token the permission Images: read."
                ),
                PermissionCheck("prices", Verdict.DENIED, "GET /prices: 403", "Give it Prices: read."),
            ),
            expires_at=EXPIRES_AT,
            account="ops@nimbus.test",
        )

    def policy(self) -> dict[str, Any]:
        return {"Project": self.values.get("project") or "YOUR-PROJECT", "Allow": ["servers:*", "images:read"]}

    def regions(self) -> Sequence[Region]:
        CALLS.append("regions")
        if self.values["api_token"].startswith("limited"):
            raise MissingPermission("servers", "Nimbus answered 403.", "Give it Servers: write.")
        return [Region("ams1", "Amsterdam"), Region("fra1", "Frankfurt")]

    def sizes(self, region: str) -> Sequence[Size]:
        CALLS.append(f"sizes {region}")
        return [Size("small", "Small", 1, 0.5, 10, Decimal("4.5")), Size("large", "Large", 8, 16, 320)]

    def images(self, region: str) -> Sequence[Image]:
        CALLS.append(f"images {region}")
        return [Image("debian-13", "Debian 13"), Image("ubuntu-24-04", "Ubuntu 24.04")]


# What no test asks it for stays abstract.
Nimbus.__abstractmethods__ = frozenset()
