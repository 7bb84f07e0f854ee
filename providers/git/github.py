"""GitHub. https://docs.github.com/en/rest

Permissions of fine-grained tokens: https://docs.github.com/en/rest/authentication/permissions-required-for-fine-grained-personal-access-tokens
"""

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from requests.utils import parse_header_links

from deploynix.http import Answer
from providers.base import DEFAULT_PAUSE, Field, Findings, Permission, PermissionCheck, Verdict
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
    is_hmac_of,
    owner_and_name,
)
from providers.errors import Conflict, MissingPermission, NotFound, ProviderError, RateLimited

METADATA, CONTENTS, ADMINISTRATION, WEBHOOKS = "metadata", "contents", "administration", "webhooks"
FINE_GRAINED = "github_pat_"
# Of classic tokens: the one that opens all of it, and those that are a part of it.
# https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps
ALL = "repo"
WEBHOOK_SCOPES = frozenset({"admin:repo_hook", "write:repo_hook"})
PARTS = WEBHOOK_SCOPES | {
    *("repo:status", "repo_deployment", "public_repo", "repo:invite", "security_events", "read:repo_hook"),
}
# A token may read public repositories that were not chosen for it: some are tried before a permission counts as denied.
TRIED = 5


class GitHub(RestGit):
    key = "github"
    label = "GitHub"
    credential = "Personal Access Token"
    base_url = "https://api.github.com"
    console_url = "https://github.com/settings/personal-access-tokens/new"
    fields = (
        Field(
            "access_token",
            "Personal Access Token",
            secret=True,
            pattern=TOKEN,
            help_text="Best a fine-grained one, which begins with github_pat_; a classic one needs the scope repo.",
        ),
    )
    permissions = (
        Permission(METADATA, "Metadata: Read-only", "Lists your repositories. GitHub adds it by itself."),
        Permission(CONTENTS, "Contents: Read-only", "Lists the branches of a repository."),
        Permission(ADMINISTRATION, "Administration: Read and write", "Gives each site a deploy key of its own."),
        Permission(
            WEBHOOKS, "Webhooks: Read and write", "Has GitHub report pushes, so that sites deploy by themselves."
        ),
    )
    used_for = (
        "List repositories and their branches",
        "Add and remove deploy keys that may only read",
        "Add and remove webhooks that report pushes",
    )
    steps = (
        "In GitHub, open Settings → Developer settings → Personal access tokens → Fine-grained tokens.",
        "Choose Generate new token, and give it a name and an expiration.",
        "As resource owner, choose the account or organization that owns the repositories.",
        "Under Repository access, choose the repositories to deploy from.",
        "Under Permissions → Repositories, add Contents (read-only), Administration and Webhooks (read and write).",
        "Generate the token and copy it: it is shown once.",
    )
    notes = (
        "A classic token works too: its scope repo opens everything here, and reaches all your repositories.",
        "A classic token needs no admin:public_key: that is for the keys of your account, not for deploy keys.",
        "When a token is deleted, GitHub deletes the deploy keys that were added with it. Regenerate it instead.",
        "An organization may have to approve a fine-grained token, or a classic one to be authorized for its SSO.",
    )
    # GitHub hides what a token may not reach.
    denials = (MissingPermission, NotFound)
    branch_list = Collection("branches", CONTENTS)
    key_list = Collection("keys", ADMINISTRATION)
    webhook_list = Collection("hooks", WEBHOOKS)
    change_method = "PATCH"
    push_event = ("X-GitHub-Event", "push")

    def headers(self) -> Mapping[str, str]:
        return {
            "Authorization": f"Bearer {self.values['access_token']}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }

    def user(self) -> str:
        return str(self.call("GET", "/user")["login"])

    def repository_page(self, search: str, page: str) -> RepositoryPage:
        rows, following = self.page("/user/repos", METADATA, page, sort="full_name")
        found = [_repository(row) for row in rows if row["permissions"]["admin"] and not row["archived"]]
        # GitHub does not search in what a token may set up.
        wanted = [repository for repository in found if search.lower() in repository.full_name.lower()]
        return RepositoryPage(wanted, following)

    def repository(self, full_name: str) -> Repository:
        return _repository(self.call("GET", self.path_of(full_name), METADATA))

    def path_of(self, repository: str) -> str:
        return f"/repos/{owner_and_name(repository)}"

    def page(self, path: str, permission: str, page: str = "", **query: Any) -> tuple[list[Any], str]:
        params = {**query, "per_page": PER_PAGE, "page": page or "1"}
        rows, headers = self.exchange("GET", path, permission, params=params)
        links = {link.get("rel"): link["url"] for link in parse_header_links(headers.get("Link", ""))}
        return rows, parse_qs(urlsplit(links.get("next", "")).query).get("page", [""])[0]

    def key_body(self, title: str, public_key: str) -> Mapping[str, Any]:
        return {"title": title, "key": public_key, "read_only": True}

    def write_webhook(self, repository: str, webhook_id: str, url: str, secret: str) -> str:
        config = {"url": url, "content_type": "json", "secret": secret, "insecure_ssl": "0"}
        body = {"active": True, "events": ["push"], "config": config}
        return str(self.send_webhook(repository, webhook_id, body)["id"])

    def webhook_url(self, row: Any) -> str:
        return str(row["config"].get("url", ""))

    def verify(self) -> Findings:
        """Reads the scopes of a classic token. Those of a fine-grained one GitHub does not tell: calls are tried."""
        user, headers = self.exchange("GET", "/user")
        told = headers.get("X-OAuth-Scopes")
        ends_at = _time(headers.get("GitHub-Authentication-Token-Expiration", ""))
        if told is None or self.values["access_token"].startswith(FINE_GRAINED):
            return Findings(tuple(self._probed()), ends_at, user["login"])
        scopes = frozenset(told.replace(",", " ").split())
        findings = Findings(tuple(self._told(scopes)), ends_at, user["login"])
        spare = ", ".join(sorted(scopes - PARTS - {ALL}))
        fix = "Make a token with the scope repo only, or a fine-grained one; admin:public_key is for your own keys."
        return findings.with_excess(ADMINISTRATION, f"Not needed: {spare}.", fix) if spare else findings

    @classmethod
    def verify_signature(cls, headers: Mapping[str, str], body: bytes, secret: str) -> bool:
        """https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries"""
        return is_hmac_of(header(headers, "X-Hub-Signature-256").removeprefix("sha256="), body, secret)

    @classmethod
    def pushes_of(cls, payload: Any) -> Iterable[Push]:
        """https://docs.github.com/en/webhooks/webhook-events-and-payloads#push"""
        kind, _, branch = payload["ref"].removeprefix("refs/").partition("/")
        if kind != "heads":
            return
        head = payload["head_commit"] or {"author": {"name": payload["pusher"]["name"]}, "message": ""}
        commit = existing(payload["after"])
        yield Push(payload["repository"]["full_name"], branch, commit, head["author"]["name"], head["message"])

    def error_of(self, answer: Answer, permission: str = "") -> ProviderError:
        error = super().error_of(answer, permission)
        if isinstance(error, MissingPermission | RateLimited) and (pause := _pause(answer, error.message)):
            return RateLimited(self.label, pause)
        if isinstance(error, MissingPermission) and "X-GitHub-SSO" in answer.headers:
            hint = "At GitHub, beside the token, choose Configure SSO and authorize it for the organization."
            return MissingPermission(permission, error.message, hint)
        if answer.status == 422 and "already in use" in error.message:
            return Conflict(error.message, "A key opens one repository only: remove it from the other one.")
        return error

    def error_text(self, body: Any) -> str:
        details = [each.get("message", "") if isinstance(each, dict) else each for each in body.get("errors", ())]
        return "; ".join(str(text) for text in (body["message"], *details) if text)

    def _told(self, scopes: frozenset[str]) -> Iterable[PermissionCheck]:
        evidence = f"GET /user: 200, X-OAuth-Scopes: {', '.join(sorted(scopes)) or 'none'}."
        for permission in self.permissions:
            if ALL in scopes or (permission.key == WEBHOOKS and scopes & WEBHOOK_SCOPES):
                yield PermissionCheck(permission.key, Verdict.GRANTED, evidence)
            else:
                fix = "Give the classic token the scope repo, or make a fine-grained one."
                yield PermissionCheck(permission.key, Verdict.DENIED, evidence, fix)

    def _probed(self) -> Iterable[PermissionCheck]:
        """GitHub looks at what a token may do before it looks at what is sent: a key and a webhook that cannot be
        tell it from those that it refuses, and leave nothing behind. A real key would be mailed to the admins."""
        listed = self.probe(METADATA, "GET", "/user/repos", params={"per_page": 1})
        yield listed
        found = self.repositories().repositories if listed.verdict == Verdict.GRANTED else ()
        paths = [self.path_of(each.id) for each in sorted(found, key=lambda each: not each.is_private)[:TRIED]]
        no_key, no_webhook = {"title": "Deploynix", "key": "no key"}, {"name": "web", "config": {}}
        yield _best(CONTENTS, paths, lambda path: self.probe(CONTENTS, "GET", f"{path}/branches"))
        yield _best(ADMINISTRATION, paths, lambda path: self.probe(ADMINISTRATION, "POST", f"{path}/keys", json=no_key))
        yield _best(WEBHOOKS, paths, lambda path: self.probe(WEBHOOKS, "POST", f"{path}/hooks", json=no_webhook))


def _best(permission: str, paths: list[str], probe: Callable[[str], PermissionCheck]) -> PermissionCheck:
    """What is granted for one repository, if only that was chosen for the token; else what was found for the first."""
    denied: PermissionCheck | None = None
    for path in paths:
        check = probe(path)
        if check.verdict == Verdict.GRANTED:
            return check
        denied = denied or check
    fix = "Under Repository access, choose the repositories to deploy from; your account has to be their admin."
    return denied or PermissionCheck(permission, Verdict.UNTESTABLE, "There is no repository to try it on.", fix)


def _pause(answer: Answer, message: str) -> float:
    """Seconds; 0 for an answer that is about something else: GitHub refuses with 403 in both cases.

    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
    """
    if answer.retry_after:
        return answer.retry_after
    resets_at = answer.headers.get("X-RateLimit-Reset", "")
    if answer.headers.get("X-RateLimit-Remaining") == "0" and resets_at.isdecimal():
        return max(float(resets_at) - time.time(), 1.0)
    return DEFAULT_PAUSE if "rate limit" in message else 0.0


def _repository(row: Mapping[str, Any]) -> Repository:
    name, branch = row["full_name"], row["default_branch"] or ""
    return Repository(name, name, row["clone_url"], row["ssh_url"], branch, row["private"])


def _time(text: str) -> datetime | None:
    """As in `2027-10-12 09:00:00 UTC`; None where the token does not end, or GitHub has changed how it says so."""
    try:
        return datetime.strptime(text.replace("UTC", "+0000"), "%Y-%m-%d %H:%M:%S %z")
    except ValueError:
        return None
