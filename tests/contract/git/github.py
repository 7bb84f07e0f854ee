"""GitHub, as its documentation and description tell of it. Its 403 is as its documentation quotes it."""

import hmac
from collections.abc import Callable
from typing import Any

from providers.git.github import ADMINISTRATION, CONTENTS, METADATA, WEBHOOKS, GitHub
from tests.contract.git_state import GitState, Hook, Key, Repo
from tests.contract.vendor import Call, Reply, Vendor

VALUES = {"access_token": "github_pat_" + "g" * 60}
TEXT = VALUES["access_token"]
ERROR = {"message": "Bad credentials", "documentation_url": "https://docs.github.com/rest"}
REFUSED = {"message": "Resource not accessible by personal access token", "status": "403"}
SHOP = "acme/shop"
NEEDS = {METADATA: "repositories", CONTENTS: "branches", ADMINISTRATION: "deploy key", WEBHOOKS: "webhook"}

# https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation
VECTOR = (
    {"X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
    b"Hello, World!",
    "It's a Secret to Everybody",
)
SHA = "6113728f27ae82c7b1a177c8d03f9e96e0adf246"
EVENT = {"X-GitHub-Event": "push"}
_COMMON = {"repository": {"full_name": SHOP}, "pusher": {"name": "ada"}}
_HEAD = {"id": SHA, "message": "Fix it", "author": {"name": "Ada", "email": "ada@acme.test", "username": "ada"}}
PUSH = {**_COMMON, "ref": "refs/heads/feature/a", "after": SHA, "deleted": False, "head_commit": _HEAD}
DELETION = {**_COMMON, "ref": "refs/heads/feature/a", "after": "0" * 40, "deleted": True, "head_commit": None}
TAG = {**PUSH, "ref": "refs/tags/v1.0"}
OTHER_EVENT = {"X-GitHub-Event": "ping"}


def signed(body: bytes, secret: str) -> dict[str, str]:
    return {"X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, "sha256").hexdigest()}


def vendors(state: GitState) -> list[Vendor]:
    vendor = Vendor(GitHub.base_url, is_signed, "github")

    def on(method: str, path: str, permission: str, answer: Callable[[Repo, Call], Reply]) -> None:
        def handler(call: Call) -> Reply:
            repo = state.repo("/".join(call.groups[:2]))
            if repo is None or (not repo.is_admin and permission not in (METADATA, CONTENTS)):
                return 404, {"message": "Not Found"}
            return (403, REFUSED) if permission in state.denied else answer(repo, call)

        vendor.on(method, f"/repos/([^/]+)/([^/]+)/{path}".rstrip("/"), handler)

    vendor.on("GET", "/user", lambda call: (200, {"login": "octocat"}, about_token(state)))
    vendor.on("GET", "/user/repos", lambda call: repositories(state, call))
    on("GET", "", METADATA, lambda repo, call: (200, told(repo)))
    on("GET", "branches", CONTENTS, lambda repo, call: page(state, call, [{"name": each} for each in repo.branches]))
    on("GET", "keys", ADMINISTRATION, lambda repo, call: page(state, call, [shown(key) for key in repo.keys]))
    on("POST", "keys", ADMINISTRATION, lambda repo, call: add_key(state, repo, call))
    on("DELETE", "keys/([^/]+)", ADMINISTRATION, lambda repo, call: remove(repo.keys, call))
    on("GET", "hooks", WEBHOOKS, lambda repo, call: page(state, call, [described(hook) for hook in repo.hooks]))
    on("POST", "hooks", WEBHOOKS, lambda repo, call: add_hook(state, repo, call))
    on("PATCH", "hooks/([^/]+)", WEBHOOKS, lambda repo, call: change_hook(repo, call))
    on("DELETE", "hooks/([^/]+)", WEBHOOKS, lambda repo, call: remove(repo.hooks, call))
    return [vendor]


def is_signed(call: Call) -> bool:
    return call.headers["Authorization"].startswith("Bearer g") and call.headers["X-GitHub-Api-Version"] == "2022-11-28"


def about_token(state: GitState) -> dict[str, str]:
    scopes = {} if state.scopes is None else {"X-OAuth-Scopes": ", ".join(state.scopes)}
    return scopes | ({"github-authentication-token-expiration": state.expires} if state.expires else {})


def repositories(state: GitState, call: Call) -> Reply:
    if METADATA in state.denied:
        return 403, REFUSED
    return page(state, call, [told(repo) for repo in state.repos])


def told(repo: Repo) -> dict[str, Any]:
    return {
        "id": int(repo.id),
        "full_name": repo.full_name,
        "private": repo.is_private,
        "archived": repo.is_archived,
        "default_branch": "main",
        "clone_url": f"https://github.com/{repo.full_name}.git",
        "ssh_url": f"git@github.com:{repo.full_name}.git",
        "permissions": {"admin": repo.is_admin, "push": True, "pull": True},
    }


def page(state: GitState, call: Call, rows: list[dict[str, Any]]) -> Reply:
    found, following = state.page(rows, call, "per_page")
    address = f"{GitHub.base_url}{call.path}?per_page=100&page="
    last = f'<{address}1>; rel="first"'
    return 200, found, {"Link": f'<{address}{following}>; rel="next", {last}' if following else last}


def shown(key: Key) -> dict[str, Any]:
    return {"id": int(key.id), "title": key.title, "key": key.text, "read_only": not key.may_write}


def add_key(state: GitState, repo: Repo, call: Call) -> Reply:
    sent = call.json
    if not sent["key"].startswith("ssh-"):
        return invalid("key is invalid. You must supply a key in OpenSSH public key format")
    if any(key.text == sent["key"] for each in state.repos for key in each.keys):
        return invalid("key is already in use")
    key = Key(state.next_id(), sent["title"], sent["key"], not sent["read_only"])
    repo.keys.append(key)
    return 201, shown(key)


def invalid(message: str) -> Reply:
    return 422, {"message": "Validation Failed", "errors": [{"resource": "PublicKey", "message": message}]}


def remove(rows: list[Any], call: Call) -> Reply:
    for row in rows:
        if row.id == call.groups[-1]:
            rows.remove(row)
            return 204, None
    return 404, {"message": "Not Found"}


def described(hook: Hook) -> dict[str, Any]:
    config = {"url": hook.url, "content_type": "json", "secret": "********"}
    return {"id": int(hook.id), "active": hook.is_active, "events": list(hook.events), "config": config}


def add_hook(state: GitState, repo: Repo, call: Call) -> Reply:
    config = call.json.get("config", {})
    if not config.get("url"):
        return 422, {"message": "Validation Failed", "errors": [{"resource": "Hook", "code": "custom"}]}
    hook = Hook(state.next_id(), config["url"])
    repo.hooks.append(hook)
    set_hook(hook, call)
    return 201, described(hook)


def change_hook(repo: Repo, call: Call) -> Reply:
    hook = next(hook for hook in repo.hooks if hook.id == call.groups[-1])
    set_hook(hook, call)
    return 200, described(hook)


def set_hook(hook: Hook, call: Call) -> None:
    sent = call.json
    # The default is a form, which is not what is read.
    assert sent["config"]["content_type"] == "json"
    hook.secret, hook.is_active, hook.events = sent["config"]["secret"], sent["active"], tuple(sent["events"])
