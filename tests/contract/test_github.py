"""GitHub: classic tokens by their scopes, fine-grained ones by what is tried, and its ways to say no."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest

from providers.base import Findings, Verdict
from providers.errors import Conflict, MissingPermission, RateLimited
from providers.git.github import ADMINISTRATION, CONTENTS, METADATA, WEBHOOKS, GitHub
from tests.contract.git import github as fixture
from tests.contract.git_state import GitState, Key
from tests.contract.vendor import Call, Reply, Vendor, standing_in

CLASSIC = {"access_token": "ghp_" + "c" * 36}
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKqP3Cr632C2dNhhgKVcon4ldUSAeKiku2yP9O9"
ALL = {METADATA, CONTENTS, ADMINISTRATION, WEBHOOKS}


@pytest.fixture
def state() -> GitState:
    return GitState()


@pytest.fixture
def vendor(state: GitState) -> Iterator[Vendor]:
    [found] = fixture.vendors(state)
    with standing_in(found):
        yield found


@pytest.fixture
def github(vendor: Vendor) -> GitHub:
    return GitHub(fixture.VALUES)


def verdicts(findings: Findings) -> dict[str, Verdict]:
    return {check.permission: check.verdict for check in findings.checks}


@pytest.mark.parametrize(
    ("scopes", "granted"),
    [
        (["repo"], ALL),
        (["repo", "admin:repo_hook", "repo:status"], ALL),
        (["admin:repo_hook"], {WEBHOOKS}),
        (["public_repo"], set()),
        ([], set()),
    ],
)
def test_a_classic_token_is_read_by_its_scopes(
    vendor: Vendor, state: GitState, scopes: list[str], granted: set[str]
) -> None:
    state.scopes = scopes
    found = GitHub(CLASSIC).verify()
    expected = {key: Verdict.GRANTED if key in granted else Verdict.DENIED for key in ALL}
    assert verdicts(found) == expected
    assert all("scope repo" in check.fix for check in found.checks if check.verdict == Verdict.DENIED)
    assert {call.method for call in vendor.calls} == {"GET"}


@pytest.mark.parametrize("spare", ["admin:public_key", "delete_repo", "admin:org"])
def test_scopes_that_are_not_needed_are_an_excess(vendor: Vendor, state: GitState, spare: str) -> None:
    state.scopes = ["repo", spare]
    found = GitHub(CLASSIC).verify()
    assert verdicts(found) == dict.fromkeys(ALL, Verdict.GRANTED) | {ADMINISTRATION: Verdict.EXCESS}
    [check] = [check for check in found.checks if check.verdict == Verdict.EXCESS]
    assert f"Not needed: {spare}." in check.evidence
    assert check.fix


def test_a_fine_grained_token_that_was_not_given_all_repositories_is_enough(
    vendor: Vendor, state: GitState, github: GitHub
) -> None:
    state.shop.is_private = False
    for path in ("branches", "keys", "hooks"):
        for method in ("GET", "POST"):
            vendor.on(method, f"/repos/acme/blog/{path}", (403, fixture.REFUSED))
    assert set(verdicts(github.verify()).values()) == {Verdict.GRANTED}
    for path in ("branches", "keys", "hooks"):
        for method in ("GET", "POST"):
            vendor.on(method, f"/repos/acme/shop/{path}", (404, {"message": "Not Found"}))
            vendor.on(method, f"/repos/other/shop-too/{path}", (404, {"message": "Not Found"}))
    assert verdicts(github.verify()) == dict.fromkeys(ALL, Verdict.DENIED) | {METADATA: Verdict.GRANTED}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("2027-10-12 09:00:00 UTC", datetime(2027, 10, 12, 9, tzinfo=UTC)),
        ("2027-10-12 09:00:00 +0200", datetime(2027, 10, 12, 9, tzinfo=timezone(timedelta(hours=2)))),
        ("some day", None),
        (None, None),
    ],
)
def test_the_end_of_a_token_is_read(
    state: GitState, github: GitHub, told: str | None, expected: datetime | None
) -> None:
    state.expires = told
    assert github.verify().expires_at == expected


@pytest.mark.parametrize(
    ("message", "headers", "pause"),
    [
        ("API rate limit exceeded", {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "+90"}, 90),
        ("You have exceeded a secondary rate limit", {"Retry-After": "30"}, 30),
        ("You have exceeded a secondary rate limit", {}, 60),
    ],
)
def test_being_asked_to_slow_down_is_no_missing_permission(
    vendor: Vendor, github: GitHub, message: str, headers: dict[str, str], pause: float
) -> None:
    def limited(call: Call) -> Reply:
        named = {name: str(int(time.time()) + 90) if value == "+90" else value for name, value in headers.items()}
        return 403, {"message": message}, named

    vendor.on("POST", "/repos/.*/keys", limited)
    with pytest.raises(RateLimited) as failure:
        github.verify()
    assert failure.value.retry_after == pytest.approx(pause, abs=2)


def test_an_organization_with_sso_is_told_apart(vendor: Vendor, github: GitHub) -> None:
    body = {"message": "Resource protected by organization SAML enforcement."}
    vendor.on("GET", "/repos/.*", (403, body, {"X-GitHub-SSO": "required; url=https://github.com/orgs/acme/sso"}))
    with pytest.raises(MissingPermission) as failure:
        github.branches(fixture.SHOP)
    assert "Configure SSO" in failure.value.hint


def test_a_key_of_another_repository_is_a_conflict(state: GitState, github: GitHub) -> None:
    state.repos[0].keys.append(Key("1", "Blog", KEY))
    with pytest.raises(Conflict, match="already in use") as failure:
        github.ensure_deploy_key(fixture.SHOP, "Shop", KEY)
    assert "one repository only" in failure.value.hint
