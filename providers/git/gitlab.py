"""GitLab, at gitlab.com or on a server of one's own. https://docs.gitlab.com/api/rest/"""

import hmac
import re
import time
from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from providers.answers import segment
from providers.base import Field, Findings, Permission, PermissionCheck, Verdict
from providers.contracts.git import (
    PER_PAGE,
    TOKEN,
    Collection,
    Push,
    Repository,
    RepositoryPage,
    RestGit,
    existing,
    header,
)
from providers.errors import MissingPermission

API, READ_USER = "api", "read_user"
# Contained in `api`. https://docs.gitlab.com/user/profile/personal_access_tokens/#personal-access-token-scopes
PARTS = frozenset({API, READ_USER, "read_api", "read_repository"})
# The only scope of a token whose permissions were chosen one by one. GitLab does not tell which.
GRANULAR = "granular"
# Who may set up deploy keys and webhooks. https://docs.gitlab.com/api/access_requests/#valid-access-levels
MAINTAINER = 40
# What the Standard Webhooks specification advises: https://www.standardwebhooks.com
TOLERANCE = 300.0
SECONDS = re.compile("[0-9]{1,12}")


class GitLab(RestGit):
    key = "gitlab"
    label = "GitLab"
    credential = "Personal Access Token"
    base_url = "https://gitlab.com"
    console_url = "https://gitlab.com/-/user_settings/personal_access_tokens"
    fields = (
        Field("access_token", "Personal Access Token", secret=True, pattern=TOKEN),
        Field(
            "base_url",
            "Base URL",
            required=False,
            default=base_url,
            pattern=r"https://[^\s?#@]+",
            help_text="Change it for a GitLab on a server of your own: https://gitlab.example.com",
        ),
    )
    permissions = (
        Permission(API, "api", "Lists projects and their branches, and sets up deploy keys and webhooks."),
        Permission(READ_USER, "read_user", "Shows whose token it is.", optional=True),
    )
    used_for = (
        "List projects and their branches",
        "Add and remove deploy keys that may only read",
        "Add and remove webhooks that report pushes",
    )
    steps = (
        "In GitLab, select your avatar, then Edit profile → Access → Personal access tokens.",
        "Add a token, and give it a name and an expiration date.",
        "Select the scopes api and read_user, and nothing else.",
        "Create the token and copy it: it is shown once.",
        "For a GitLab of your own, enter its address as the base URL.",
    )
    notes = (
        "You need the role Maintainer or Owner in a project to set it up; only those projects are listed.",
        "A project or group access token with the scope api and the role Maintainer works too, and reaches less.",
        "From GitLab 19.0 on, webhooks are signed. Before that, GitLab sends the webhook's secret with each push.",
        "A GitLab in a private network has to be opened with OUTBOUND_ALLOW by the operator of this install.",
    )
    not_found_hint = (
        "Look whether the project is still there, whether you are its Maintainer, and whether the base URL is the one "
        "that your browser shows."
    )
    branch_list = Collection("repository/branches", API)
    key_list = Collection("deploy_keys", API)
    webhook_list = Collection("hooks", API)
    push_event = ("X-Gitlab-Event", "Push Hook")

    def headers(self) -> Mapping[str, str]:
        return {"PRIVATE-TOKEN": self.values["access_token"]}

    @property
    def address(self) -> str:
        given = self.values.get("base_url", GitLab.base_url).rstrip("/")
        return f"{self.base_url if given == GitLab.base_url else given}/api/v4"

    def user(self) -> str:
        return str(self.call("GET", "/user", READ_USER)["username"])

    def repository_page(self, search: str, page: str) -> RepositoryPage:
        query = {"membership": "true", "min_access_level": MAINTAINER, "archived": "false"}
        query |= {"order_by": "path", "sort": "asc"}
        if search:
            query |= {"search": search, "search_namespaces": "true"}
        rows, following = self.page("/projects", API, page, **query)
        return RepositoryPage([_repository(row) for row in rows], following)

    def repository(self, full_name: str) -> Repository:
        return _repository(self.call("GET", self.path_of(full_name), API))

    def path_of(self, repository: str) -> str:
        return f"/projects/{segment(repository)}"

    def page(self, path: str, permission: str, page: str = "", **query: Any) -> tuple[list[Any], str]:
        """https://docs.gitlab.com/api/rest/#offset-based-pagination"""
        params = {**query, "per_page": PER_PAGE, "page": page or "1"}
        rows, headers = self.exchange("GET", path, permission, params=params)
        return rows, headers.get("X-Next-Page", "")

    def key_body(self, title: str, public_key: str) -> Mapping[str, Any]:
        return {"title": title, "key": public_key, "can_push": False}

    def write_webhook(self, repository: str, webhook_id: str, url: str, secret: str) -> str:
        """Has deliveries signed, and only where GitLab is too old to sign has it send the secret itself.

        https://docs.gitlab.com/api/project_webhooks/#add-a-webhook-to-a-project
        """
        body = {"url": url, "push_events": True, "tag_push_events": False, "enable_ssl_verification": True}
        signing = f"whsec_{b64encode(_signing_key(secret)).decode()}"
        self.hidden |= {signing}
        row = self.send_webhook(repository, webhook_id, {**body, "signing_token": signing, "token": ""})
        # One that is too old passes over what it does not know.
        if not row.get("signing_token_present"):
            row = self.send_webhook(repository, str(row["id"]), {**body, "token": secret})
        return str(row["id"])

    def verify(self) -> Findings:
        """Reads the token's scopes, which any token may ask for: GET /personal_access_tokens/self."""
        token = self.call("GET", "/personal_access_tokens/self")
        scopes = frozenset(token["scopes"])
        user = self._user()
        findings = Findings(tuple(self._told(scopes)), _end(token.get("expires_at")), user.get("username", ""))
        spare = [f"Not needed: {', '.join(sorted(scopes - PARTS))}."] if scopes - PARTS else []
        if user.get("is_admin"):
            spare.append("GET /user: 200, its user is an administrator of the instance.")
        fix = "Make a token with the scopes api and read_user only, of a user who is no administrator."
        return findings.with_excess(API, " ".join(spare), fix) if spare else findings

    @classmethod
    def verify_signature(cls, headers: Mapping[str, str], body: bytes, secret: str) -> bool:
        """Holds a signature against the secret, and the token only where there is none: a wrong one stays wrong.

        https://docs.gitlab.com/user/project/integrations/webhooks/
        """
        if not secret:
            return False
        if given := header(headers, "webhook-signature"):
            return _is_signed(headers, given, body, _signing_key(secret))
        return hmac.compare_digest(header(headers, "X-Gitlab-Token").encode(), secret.encode())

    @classmethod
    def pushes_of(cls, payload: Any) -> Iterable[Push]:
        """https://docs.gitlab.com/user/project/integrations/webhook_events/#push-events"""
        kind, _, branch = payload["ref"].removeprefix("refs/").partition("/")
        if kind != "heads":
            return
        name, after, author, message = (
            payload["project"]["path_with_namespace"],
            payload["after"],
            payload["user_name"],
            "",
        )
        for commit in payload["commits"]:
            if commit["id"] == after:
                author, message = commit["author"]["name"], commit["message"]
        yield Push(name, branch, existing(after), author, message)

    def error_text(self, body: Any) -> str:
        """`message` is a text, a list of texts, or lists of texts by attribute."""
        said = body.get("message") or body.get("error_description") or body.get("error") or ""
        if isinstance(said, dict):
            said = [
                f"{name} {', '.join(faults) if isinstance(faults, list) else faults}" for name, faults in said.items()
            ]
        return "; ".join(map(str, said)) if isinstance(said, list) else str(said)

    def _user(self) -> Mapping[str, Any]:
        try:
            found: Mapping[str, Any] = self.call("GET", "/user", READ_USER)
        except MissingPermission:
            return {}
        return found

    def _told(self, scopes: frozenset[str]) -> Iterable[PermissionCheck]:
        evidence = f"GET /personal_access_tokens/self: 200, its scopes are {', '.join(sorted(scopes)) or 'none'}."
        for permission in self.permissions:
            if {permission.key, API} & scopes:
                yield PermissionCheck(permission.key, Verdict.GRANTED, evidence)
            elif GRANULAR in scopes:
                why = f"{evidence} GitLab does not tell what a fine-grained token may do."
                yield PermissionCheck(permission.key, Verdict.UNTESTABLE, why, self.how_to_grant(permission.key))
            else:
                yield PermissionCheck(permission.key, Verdict.DENIED, evidence, self.how_to_grant(permission.key))


def _signing_key(secret: str) -> bytes:
    """GitLab takes 32 bytes, whatever our secret is."""
    return sha256(secret.encode()).digest()


def _is_signed(headers: Mapping[str, str], given: str, body: bytes, key: bytes) -> bool:
    """https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md"""
    sent_at = header(headers, "webhook-timestamp")
    if not SECONDS.fullmatch(sent_at) or abs(time.time() - int(sent_at)) > TOLERANCE:
        return False
    signed = f"{header(headers, 'webhook-id')}.{sent_at}.".encode() + body
    expected = b64encode(hmac.new(key, signed, sha256).digest())
    signatures = [each.removeprefix("v1,").encode() for each in given.split() if each.startswith("v1,")]
    return any(hmac.compare_digest(expected, signature) for signature in signatures)


def _repository(row: Mapping[str, Any]) -> Repository:
    return Repository(
        str(row["id"]),
        row["path_with_namespace"],
        row["http_url_to_repo"],
        row["ssh_url_to_repo"],
        row["default_branch"] or "",
        row["visibility"] != "public",
    )


def _end(day: str | None) -> datetime | None:
    """A token ends when the day begins, at midnight UTC."""
    return datetime.fromisoformat(day).replace(tzinfo=UTC) if day else None
