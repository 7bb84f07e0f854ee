"""What Vultr's servers and DNS have in common. https://www.vultr.com/api/"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from django.utils.functional import cached_property

from deploynix.http import Answer
from providers.base import MOST_PAGES, Field, Findings, HttpProvider
from providers.errors import InvalidCredential, MissingPermission, ProviderError

# The most that Vultr takes.
PER_PAGE = 500


class VultrClient(HttpProvider):
    base_url = "https://api.vultr.com/v2"
    credential = "API Key"
    console_url = "https://my.vultr.com/settings/#settingsapi"
    fields = (Field("api_key", "API Key", secret=True, help_text="Best that of a user with few permissions."),)

    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.values['api_key']}"}

    def pages(self, path: str, key: str, permission: str = "", **query: Any) -> Iterator[Any]:
        """The items of all pages, which an answer holds under the key."""
        params = {**query, "per_page": PER_PAGE}
        for _ in range(MOST_PAGES):
            body = self.call("GET", path, permission, params=params)
            yield from body[key]
            params["cursor"] = body["meta"]["links"]["next"]
            if not params["cursor"]:
                return

    def error_of(self, answer: Answer, permission: str = "") -> ProviderError:
        error = super().error_of(answer, permission)
        if isinstance(error, InvalidCredential) and "Unauthorized IP address" in error.message:
            return InvalidCredential(error.message, "Add that address under Access Control, where Vultr shows the key.")
        return error

    @cached_property
    def account(self) -> Mapping[str, Any]:
        """Its name, and the ACLs of the key's user; empty for a key that may not see them."""
        try:
            found: Mapping[str, Any] = self.call("GET", "/account")["account"]
        except MissingPermission:
            return {}
        return found

    def with_account(self, findings: Findings, permission: str, needed: frozenset[str]) -> Findings:
        """The findings with the account's name; ACLs beyond the needed are an excess of the permission."""
        findings = replace(findings, account=self.account.get("name", ""))
        spare = sorted(set(self.account.get("acls", ())) - needed)
        if not spare:
            return findings
        evidence = f"GET /account: 200; the key also has {', '.join(spare)}."
        fix = f"Make a user at Vultr that has only {', '.join(sorted(needed))}, and use its API key."
        return findings.with_excess(permission, evidence, fix)
