"""Bitbucket: its two types of token, what took the place of app passwords, scopes, workspaces and pushes of many."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from providers.base import Findings, Verdict
from providers.errors import InvalidCredential, MissingPermission
from providers.git.bitbucket import ACCOUNT, DEPLOY_KEYS, REPOSITORIES, SCOPES, WEBHOOKS, WORKSPACES, Bitbucket
from tests.contract.git import bitbucket as fixture
from tests.contract.git_state import GitState
from tests.contract.vendor import Call, Vendor, standing_in

ACCESS = {"type": "access_token", "workspace": "acme", "token": "ATCTT3xFfGN0" + "w" * 40}
FULL = [scope for scopes in SCOPES["api_token"].values() for scope in scopes]


@pytest.fixture
def state() -> GitState:
    return GitState()


@pytest.fixture
def vendor(state: GitState) -> Iterator[Vendor]:
    [found] = fixture.vendors(state)
    with standing_in(found):
        yield found


@pytest.fixture
def bitbucket(vendor: Vendor) -> Bitbucket:
    return Bitbucket(fixture.VALUES)


@pytest.fixture
def by_access_token(state: GitState) -> Iterator[Vendor]:
    def is_bearer(call: Call) -> bool:
        return bool(call.headers["Authorization"] == f"Bearer {ACCESS['token']}")

    [found] = fixture.vendors(state, is_bearer)
    with standing_in(found):
        yield found


def verdicts(findings: Findings) -> dict[str, Verdict]:
    return {check.permission: check.verdict for check in findings.checks}


def test_an_access_token_needs_no_user(by_access_token: Vendor) -> None:
    bitbucket = Bitbucket(ACCESS)
    found = bitbucket.verify()
    unneeded = {ACCOUNT: Verdict.UNTESTABLE, WORKSPACES: Verdict.UNTESTABLE}
    assert verdicts(found) == unneeded | dict.fromkeys((REPOSITORIES, DEPLOY_KEYS, WEBHOOKS), Verdict.GRANTED)
    assert (found.account, bitbucket.user()) == ("acme", "acme")
    listed = [call for call in by_access_token.calls if call.path == "/2.0/repositories/acme"]
    assert not any("role" in call.query for call in listed)
    assert not any(call.path.startswith("/2.0/user") for call in by_access_token.calls)


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        (["repository", "repository:admin", "webhook"], {}),
        (["repository", "webhook"], {DEPLOY_KEYS: Verdict.DENIED}),
        (["repository", "repository:admin", "webhook", "repository:write"], {REPOSITORIES: Verdict.EXCESS}),
    ],
)
def test_the_scopes_of_an_access_token_are_read(
    by_access_token: Vendor, state: GitState, scopes: list[str], expected: dict[str, Verdict]
) -> None:
    state.scopes = scopes
    granted = dict.fromkeys((REPOSITORIES, DEPLOY_KEYS, WEBHOOKS), Verdict.GRANTED)
    assert verdicts(Bitbucket(ACCESS).verify()).items() >= (granted | expected).items()


@pytest.mark.parametrize("password", ["ATBB" + "p" * 32, "x7Gm2QpLs9TnRv4KcWbY"])
def test_an_old_app_password_is_told_what_took_its_place(password: str) -> None:
    vendor = Vendor(Bitbucket.base_url, lambda call: True)
    vendor.on("GET", ".*", (401, "", {"WWW-Authenticate": 'Basic realm="Bitbucket.org HTTP"'}))
    with standing_in(vendor), pytest.raises(InvalidCredential, match="app password") as failure:
        Bitbucket({"type": "api_token", "email": "ada@acme.test", "token": password}).verify()
    assert "ended on 28 July 2026: make an API token" in failure.value.hint
    assert password not in f"{failure.value} {failure.value.hint}"


def test_a_new_token_that_is_refused_is_no_app_password(vendor: Vendor, bitbucket: Bitbucket) -> None:
    vendor.on("GET", "/user", (401, fixture.ERROR))
    with pytest.raises(InvalidCredential, match="invalid, expired") as failure:
        bitbucket.verify()
    assert "e-mail address" in failure.value.hint
    assert "app password" not in f"{failure.value} {failure.value.hint}"


@pytest.mark.parametrize(
    ("values", "missing"),
    [
        ({"type": "api_token", "token": ACCESS["token"]}, "e-mail"),
        ({"token": ACCESS["token"]}, "e-mail"),
        ({"type": "access_token", "token": ACCESS["token"]}, "workspace"),
    ],
)
def test_what_the_type_needs_is_asked_for(values: dict[str, str], missing: str) -> None:
    with standing_in(), pytest.raises(InvalidCredential, match=missing):
        Bitbucket(values).verify()


def test_one_string_says_of_which_type_it_is() -> None:
    assert Bitbucket.parse(f"acme:{ACCESS['token']}") == ACCESS
    assert Bitbucket.parse(fixture.TEXT) == fixture.VALUES
    for text in ("", "token", ":token", "ada@acme.test:"):
        with pytest.raises(ValueError, match="email:token"):
            Bitbucket.parse(text)


def test_scopes_that_bitbucket_tells_of_save_the_attempt(vendor: Vendor, state: GitState, bitbucket: Bitbucket) -> None:
    state.scopes = FULL
    assert set(verdicts(bitbucket.verify()).values()) == {Verdict.GRANTED}
    assert {call.method for call in vendor.calls} == {"GET"}


def test_a_scope_that_is_missing_is_named(state: GitState, bitbucket: Bitbucket) -> None:
    state.scopes = [scope for scope in FULL if scope != "delete:ssh-key:bitbucket"]
    [check] = [check for check in bitbucket.verify().checks if check.verdict == Verdict.DENIED]
    assert (check.permission, check.fix) == (DEPLOY_KEYS, "Make a token that also has delete:ssh-key:bitbucket.")


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (fixture.refused(DEPLOY_KEYS)[1], {}),
        (
            {"type": "error", "error": {"message": "Forbidden"}},
            {"X-Accepted-OAuth-Scopes": "admin:repository:bitbucket"},
        ),
    ],
)
def test_scopes_that_a_call_needs_are_shown(
    vendor: Vendor, bitbucket: Bitbucket, body: object, headers: dict[str, str]
) -> None:
    vendor.on("GET", ".*/deploy-keys", (403, body, headers))
    with pytest.raises(MissingPermission, match=r"needs admin:repository:bitbucket"):
        bitbucket.ensure_deploy_key(fixture.SHOP, "Shop", "ssh-ed25519 AAAA")


def test_scopes_that_are_not_needed_are_an_excess(state: GitState, bitbucket: Bitbucket) -> None:
    state.scopes = [*FULL, "write:repository:bitbucket", "admin:project:bitbucket"]
    [check] = [check for check in bitbucket.verify().checks if check.verdict == Verdict.EXCESS]
    assert check.permission == REPOSITORIES
    assert "Not needed: admin:project:bitbucket, write:repository:bitbucket." in check.evidence


def test_without_leave_to_list_workspaces_one_has_to_be_given(
    vendor: Vendor, state: GitState, bitbucket: Bitbucket
) -> None:
    state.denied = {WORKSPACES}
    checks = {check.permission: check for check in bitbucket.verify().checks}
    assert (checks[WORKSPACES].verdict, checks[REPOSITORIES].verdict) == (Verdict.DENIED, Verdict.DENIED)
    assert "enter the workspace" in checks[REPOSITORIES].fix
    given = Bitbucket({**fixture.VALUES, "workspace": "acme"})
    assert verdicts(given.verify())[REPOSITORIES] == Verdict.GRANTED
    assert {each.full_name for each in given.repositories().repositories} == {"acme/blog", "acme/shop"}


def test_a_workspace_that_there_is_not_is_told(vendor: Vendor) -> None:
    vendor.on(
        "GET", "/repositories/typo", (404, {"type": "error", "error": {"message": "No workspace with identifier"}})
    )
    checks = {check.permission: check for check in Bitbucket({**fixture.VALUES, "workspace": "typo"}).verify().checks}
    assert checks[REPOSITORIES].verdict == Verdict.DENIED
    assert "No workspace with identifier" in checks[REPOSITORIES].evidence


def test_what_is_searched_for_cannot_end_the_question(vendor: Vendor, bitbucket: Bitbucket) -> None:
    bitbucket.repositories('x" OR name ~ "\\')
    asked = [call.query["q"] for call in vendor.calls if "q" in call.query]
    assert set(asked) == {'name ~ "x\\" OR name ~ \\"\\\\"'}


def test_branches_that_are_pushed_together_are_all_read() -> None:
    [first] = fixture.PUSH["push"]["changes"]
    second: dict[str, Any] = {**first, "new": {**first["new"], "name": "staging"}}
    payload = fixture.pushed(first, *fixture.TAG["push"]["changes"], second, *fixture.DELETION["push"]["changes"])
    pushes = Bitbucket.parse_push(fixture.EVENT, json.dumps(payload).encode())
    assert [(push.branch, bool(push.commit)) for push in pushes] == [
        ("feature/a", True),
        ("staging", True),
        ("feature/a", False),
    ]
