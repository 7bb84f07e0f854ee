"""Bitbucket Cloud, as its documentation tells of it; workspaces come as CHANGE-3022 of its change log has them."""

import hmac
from base64 import b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from providers.git.bitbucket import ACCOUNT, DEPLOY_KEYS, REPOSITORIES, SCOPES, WEBHOOKS, WORKSPACES, Bitbucket
from tests.contract.git_state import GitState, Hook, Key, Repo
from tests.contract.vendor import Call, Reply, Vendor

VALUES = {"type": "api_token", "email": "ada@acme.test", "token": "ATATT3xFfGF0" + "b" * 40}
TEXT = f"{VALUES['email']}:{VALUES['token']}"
ERROR = {"type": "error", "error": {"message": "Token is invalid, expired, or not supported for this endpoint."}}
SHOP = "acme/shop"
NEEDS = {REPOSITORIES: "repositories", DEPLOY_KEYS: "deploy key", WEBHOOKS: "webhook"}

# https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/#Examples
VECTOR = (
    {"X-Hub-Signature": "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"},
    b"Hello World!",
    "It's a Secret to Everybody",
)
SHA = "709d658dc5b6d6afcd46049c2f332ee3f515a67d"
EVENT = {"X-Event-Key": "repo:push"}
_TARGET = {"hash": SHA, "message": "Fix it", "author": {"type": "author", "raw": "Ada <ada@acme.test>"}}
_BRANCH = {"type": "branch", "name": "feature/a", "target": _TARGET}


def pushed(*changes: dict[str, Any]) -> dict[str, Any]:
    return {
        "actor": {"type": "user", "display_name": "Ada"},
        "repository": {"full_name": "acme/shop"},
        "push": {"changes": list(changes)},
    }


PUSH = pushed({"new": _BRANCH, "old": None, "created": True, "closed": False})
DELETION = pushed({"new": None, "old": _BRANCH, "created": False, "closed": True})
TAG = pushed({"new": {**_BRANCH, "type": "tag"}, "old": None}, {"new": None, "old": {**_BRANCH, "type": "tag"}})
OTHER_EVENT = {"X-Event-Key": "repo:fork"}


def signed(body: bytes, secret: str) -> dict[str, str]:
    return {"X-Hub-Signature": "sha256=" + hmac.new(secret.encode(), body, "sha256").hexdigest()}


def vendors(state: GitState, is_signed: Callable[[Call], bool] | None = None) -> list[Vendor]:
    vendor = Vendor(Bitbucket.base_url, is_signed or is_basic, "bitbucket")

    def on(method: str, path: str, permission: str, answer: Callable[[Repo, Call], Reply]) -> None:
        def handler(call: Call) -> Reply:
            if permission in state.denied:
                return refused(permission)
            repo = state.repo("/".join(call.groups[:2]))
            status, body = answer(repo, call)[:2] if repo else (404, {"type": "error", "error": {"message": "None"}})
            return status, body, told(state)

        vendor.on(method, f"/repositories/([^/]+)/([^/]+)/{path}".rstrip("/"), handler)

    vendor.on("GET", "/user", lambda call: refusal(state, ACCOUNT) or (200, {"display_name": "octocat"}, told(state)))
    vendor.on("GET", "/user/workspaces", lambda call: refusal(state, WORKSPACES) or workspaces(state, call))
    vendor.on("GET", "/repositories/([^/]+)", lambda call: refusal(state, REPOSITORIES) or repositories(state, call))
    on("GET", "", REPOSITORIES, lambda repo, call: (200, row_of(repo)))
    on("GET", "refs/branches", REPOSITORIES, lambda repo, call: page(state, call, named(repo)))
    on("GET", "deploy-keys", DEPLOY_KEYS, lambda repo, call: page(state, call, [shown(key) for key in repo.keys]))
    on("POST", "deploy-keys", DEPLOY_KEYS, lambda repo, call: add_key(state, repo, call))
    on("DELETE", "deploy-keys/([^/]+)", DEPLOY_KEYS, lambda repo, call: remove(repo.keys, call))
    on("GET", "hooks", WEBHOOKS, lambda repo, call: page(state, call, [described(hook) for hook in repo.hooks]))
    on("POST", "hooks", WEBHOOKS, lambda repo, call: add_hook(state, repo, call))
    on("PUT", "hooks/([^/]+)", WEBHOOKS, lambda repo, call: change_hook(repo, call))
    on("DELETE", "hooks/([^/]+)", WEBHOOKS, lambda repo, call: remove(repo.hooks, call))
    return [vendor]


def is_basic(call: Call) -> bool:
    return call.headers["Authorization"] == f"Basic {b64encode(TEXT.encode()).decode()}"


def told(state: GitState) -> dict[str, str]:
    return {} if state.scopes is None else {"X-OAuth-Scopes": ", ".join(state.scopes)}


def refusal(state: GitState, permission: str) -> Reply | None:
    return refused(permission) if permission in state.denied else None


def refused(permission: str) -> Reply:
    detail = {"required": list(SCOPES["api_token"][permission]), "granted": ["read:pullrequest:bitbucket"]}
    message = "Your credentials lack one or more required privilege scopes."
    return 403, {"type": "error", "error": {"message": message, "detail": detail}}


def workspaces(state: GitState, call: Call) -> Reply:
    slugs = sorted({repo.full_name.partition("/")[0] for repo in state.repos} | {"empty"})
    rows = [{"type": "workspace_access", "administrator": True, "workspace": {"slug": slug}} for slug in slugs]
    return page(state, call, rows)


def repositories(state: GitState, call: Call) -> Reply:
    workspace, wanted = call.groups[0], call.query.get("q", 'name ~ ""').removeprefix('name ~ "').removesuffix('"')
    rows = [
        row_of(repo)
        for repo in state.repos
        if repo.full_name.startswith(f"{workspace}/")
        and wanted in repo.full_name.partition("/")[2]
        and (repo.is_admin or call.query.get("role") != "admin")
        and not repo.is_archived
    ]
    return page(state, call, rows)


def row_of(repo: Repo) -> dict[str, Any]:
    return {
        "full_name": repo.full_name,
        "is_private": repo.is_private,
        # Null in a repository without a commit.
        "mainbranch": {"type": "branch", "name": "main"} if repo.branches else None,
    }


def page(state: GitState, call: Call, rows: list[dict[str, Any]]) -> Reply:
    found, following = state.page(rows, call, "pagelen")
    more = {"next": f"https://api.bitbucket.org{call.path}?pagelen=100&page={following}"} if following else {}
    return 200, {"pagelen": 100, "values": found, **more}, told(state)


def named(repo: Repo) -> list[dict[str, Any]]:
    return [{"type": "branch", "name": name} for name in repo.branches]


def shown(key: Key) -> dict[str, Any]:
    return {"type": "deploy_key", "id": int(key.id), "label": key.title, "key": key.text, "comment": ""}


def bad(message: str) -> Reply:
    return 400, {"type": "error", "error": {"message": "Bad request", "fields": {"key": [message]}}}


def add_key(state: GitState, repo: Repo, call: Call) -> Reply:
    sent = call.json
    if not sent["key"].startswith("ssh-"):
        return bad("Invalid SSH key.")
    key = Key(state.next_id(), sent["label"], sent["key"])
    repo.keys.append(key)
    return 200, shown(key)


def remove(rows: list[Any], call: Call) -> Reply:
    for row in rows:
        if row.id == unquote(call.groups[-1]):
            rows.remove(row)
            return 204, None
    return 404, {"type": "error", "error": {"message": "Not found"}}


def described(hook: Hook) -> dict[str, Any]:
    state = {"active": hook.is_active, "events": list(hook.events), "secret_set": bool(hook.secret)}
    return {"type": "webhook_subscription", "uuid": hook.id, "url": hook.url, **state}


def add_hook(state: GitState, repo: Repo, call: Call) -> Reply:
    if not call.json["url"].startswith("https://"):
        return bad("Enter a valid URL.")
    hook = Hook(f"{{{state.next_id()}}}", call.json["url"])
    repo.hooks.append(hook)
    set_hook(hook, call)
    return 201, described(hook)


def change_hook(repo: Repo, call: Call) -> Reply:
    hook = next(hook for hook in repo.hooks if hook.id == unquote(call.groups[-1]))
    set_hook(hook, call)
    return 200, described(hook)


def set_hook(hook: Hook, call: Call) -> None:
    sent = call.json
    hook.secret, hook.is_active, hook.events = sent["secret"], sent["active"], tuple(sent["events"])
