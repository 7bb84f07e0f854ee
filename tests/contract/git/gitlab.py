"""GitLab 19, as its documentation tells of it."""

import hmac
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import Any
from urllib.parse import unquote

from providers.git.gitlab import API, READ_USER, GitLab
from tests.contract.git_state import GitState, Hook, Key, Repo
from tests.contract.vendor import Call, Reply, Vendor

VALUES = {"access_token": "glpat-" + "l" * 20, "base_url": "https://gitlab.com"}
TEXT = VALUES["access_token"]
ERROR = {"message": "401 Unauthorized"}
# https://docs.gitlab.com/api/rest/authentication/
REFUSED = {
    "error": "insufficient_scope",
    "error_description": "The request requires higher privileges than provided by the access token.",
    "scope": "api",
}
SHOP = "13"
NEEDS = {API: "repositories"}

# Made with: openssl dgst -sha256 -mac HMAC -macopt hexkey:$(printf 's3cret of ours' | sha256sum | cut -c-64)
VECTOR_AT = 1700000000
VECTOR = (
    {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(VECTOR_AT),
        "webhook-signature": "v1,ter5S0Ba1n4AiwMl1YPLpqVKjB4pKGkGrsgklS8vJoY=",
    },
    b'{"ref":"refs/heads/main"}',
    "s3cret of ours",
)
SHA = "da1560886d4f094c3e6c9ef40349f7d38b5d27d7"
EVENT = {"X-Gitlab-Event": "Push Hook"}
_COMMON = {"project": {"id": 13, "path_with_namespace": "acme/shop"}, "user_name": "Ada", "user_username": "ada"}
_COMMITS = [
    {"id": "b6568db1bc1dcd7f8b4d5a946b0b91f9dacd7327", "message": "Begin", "author": {"name": "Grace"}},
    {"id": SHA, "message": "Fix it", "author": {"name": "Ada", "email": "ada@acme.test"}},
]
PUSH = {**_COMMON, "object_kind": "push", "ref": "refs/heads/feature/a", "after": SHA, "commits": _COMMITS}
DELETION = {**PUSH, "after": "0" * 40, "checkout_sha": None, "commits": []}
TAG = {**PUSH, "ref": "refs/tags/v1.0"}
OTHER_EVENT = {"X-Gitlab-Event": "Tag Push Hook"}


def signed(body: bytes, secret: str) -> dict[str, str]:
    return sign_with(sha256(secret.encode()).digest(), body)


def sign_with(key: bytes, body: bytes, sent_at: float = 0) -> dict[str, str]:
    message, moment = "f5e5f430-f57b-4e6e-9fac-d9128cd7232f", str(int(sent_at or time.time()))
    made = hmac.new(key, f"{message}.{moment}.".encode() + body, "sha256").digest()
    signature = f"v1,{b64encode(made).decode()}"
    return {"Webhook-Id": message, "Webhook-Timestamp": moment, "Webhook-Signature": signature}


def vendors(state: GitState, base_url: str = f"{GitLab.base_url}/api/v4", *, can_sign: bool = True) -> list[Vendor]:
    vendor = Vendor(base_url, is_signed, "gitlab")

    def on(method: str, path: str, answer: Callable[[Repo, Call], Reply]) -> None:
        def handler(call: Call) -> Reply:
            repo = state.repo(unquote(call.groups[0]))
            if API in state.denied:
                return 403, REFUSED
            return answer(repo, call) if repo else (404, {"message": "404 Project Not Found"})

        vendor.on(method, f"/projects/([^/]+)/{path}".rstrip("/"), handler)

    vendor.on("GET", "/personal_access_tokens/self", lambda call: (200, token(state)))
    vendor.on("GET", "/user", lambda call: user(state))
    vendor.on("GET", "/projects", lambda call: projects(state, call))
    on("GET", "", lambda repo, call: (200, told(repo)))
    on("GET", "repository/branches", lambda repo, call: page(state, call, [{"name": each} for each in repo.branches]))
    on("GET", "deploy_keys", lambda repo, call: page(state, call, [shown(key) for key in repo.keys]))
    on("POST", "deploy_keys", lambda repo, call: add_key(state, repo, call))
    on("DELETE", "deploy_keys/([^/]+)", lambda repo, call: remove(repo.keys, call))
    on("GET", "hooks", lambda repo, call: page(state, call, [described(hook) for hook in repo.hooks]))
    on("POST", "hooks", lambda repo, call: add_hook(state, repo, call, can_sign))
    on("PUT", "hooks/([^/]+)", lambda repo, call: change_hook(repo, call, can_sign))
    on("DELETE", "hooks/([^/]+)", lambda repo, call: remove(repo.hooks, call))
    return [vendor]


def is_signed(call: Call) -> bool:
    return call.headers["PRIVATE-TOKEN"] == VALUES["access_token"]


def token(state: GitState) -> dict[str, Any]:
    scopes = [scope for scope in ("api", "read_user") if scope not in state.denied]
    return {"id": 7, "active": True, "scopes": state.scopes or scopes, "expires_at": state.expires}


def user(state: GitState) -> Reply:
    return (403, REFUSED) if {API, READ_USER} <= state.denied else (200, {"id": 1, "username": "octocat"})


def projects(state: GitState, call: Call) -> Reply:
    if API in state.denied:
        return 403, REFUSED
    assert (call.query["min_access_level"], call.query["archived"]) == ("40", "false")
    rows = [
        told(repo)
        for repo in state.repos
        if repo.is_admin and not repo.is_archived and call.query.get("search", "") in repo.full_name
    ]
    return page(state, call, rows)


def told(repo: Repo) -> dict[str, Any]:
    return {
        "id": int(repo.id),
        "path_with_namespace": repo.full_name,
        "http_url_to_repo": f"https://gitlab.com/{repo.full_name}.git",
        "ssh_url_to_repo": f"git@gitlab.com:{repo.full_name}.git",
        # Null in a project without a commit.
        "default_branch": "main" if repo.branches else None,
        "visibility": "private" if repo.is_private else "public",
    }


def page(state: GitState, call: Call, rows: list[dict[str, Any]]) -> Reply:
    found, following = state.page(rows, call, "per_page")
    return 200, found, {"X-Next-Page": following}


def shown(key: Key) -> dict[str, Any]:
    return {"id": int(key.id), "title": key.title, "key": f"{key.text} ", "can_push": key.may_write}


def add_key(state: GitState, repo: Repo, call: Call) -> Reply:
    sent = call.json
    if any(key.text == sent["key"] for key in repo.keys):
        return 400, {"message": {"deploy_key.fingerprint_sha256": ["has already been taken"]}}
    key = Key(state.next_id(), sent["title"], sent["key"], sent["can_push"])
    repo.keys.append(key)
    return 201, shown(key)


def remove(rows: list[Any], call: Call) -> Reply:
    for row in rows:
        if row.id == call.groups[-1]:
            rows.remove(row)
            return 204, None
    return 404, {"message": "404 Not found"}


def described(hook: Hook) -> dict[str, Any]:
    present = {"token_present": bool(hook.token), "signing_token_present": bool(hook.secret)}
    return {"id": int(hook.id), "url": hook.url, "push_events": hook.is_active, **present}


def add_hook(state: GitState, repo: Repo, call: Call, can_sign: bool) -> Reply:
    hook = Hook(state.next_id(), call.json["url"])
    repo.hooks.append(hook)
    return 201, set_hook(hook, call, can_sign)


def change_hook(repo: Repo, call: Call, can_sign: bool) -> Reply:
    hook = next(hook for hook in repo.hooks if hook.id == call.groups[-1])
    return 200, set_hook(hook, call, can_sign)


def set_hook(hook: Hook, call: Call, can_sign: bool) -> dict[str, Any]:
    sent = call.json
    hook.is_active = sent["push_events"]
    hook.events = ("push",) if sent["push_events"] and not sent["tag_push_events"] else ()
    hook.token = sent.get("token", hook.token)
    if not can_sign:
        row = described(hook)
        del row["signing_token_present"], row["token_present"]
        return row
    if given := sent.get("signing_token"):
        prefix, _, key = given.partition("_")
        assert prefix == "whsec"
        assert len(b64decode(key, validate=True)) == 32
        hook.secret = given
    return described(hook)
