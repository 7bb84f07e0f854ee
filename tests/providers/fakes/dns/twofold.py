"""A DNS provider whose credential has two parts, and fits into one string."""

from providers.base import Field, Findings, Permission, PermissionCheck, Verdict
from providers.contracts.dns import EDIT, READ, DnsProvider


class Twofold(DnsProvider):
    key = "twofold"
    label = "Twofold"
    credential = "API Key"
    fields = (Field("api_key", "API Key", secret=True), Field("secret_key", "Secret Key", secret=True))
    permissions = (Permission(READ, "Zones", "Finds the zone."), Permission(EDIT, "Records", "Makes TXT records."))
    used_for = ("Find the zone of a domain",)
    steps = ("Open the account page.",)

    @classmethod
    def parse(cls, text: str) -> dict[str, str]:
        first, colon, second = text.partition(":")
        if not (first and colon and second):
            raise ValueError("write it as apikey:secretapikey")
        return {"api_key": first, "secret_key": second}

    def verify(self) -> Findings:
        return Findings(
            (PermissionCheck(READ, Verdict.GRANTED, "seen"), PermissionCheck(EDIT, Verdict.GRANTED, "made"))
        )


# What no test asks it for stays abstract.
Twofold.__abstractmethods__ = frozenset()
