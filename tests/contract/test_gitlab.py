"""GitLab: an instance of one's own, signed webhooks and those of before, and tokens that may do too much."""

from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from deploynix.errors import Invalid
from providers import values
from providers.base import Findings, Verdict
from providers.errors import NotFound
from providers.git.gitlab import API, READ_USER, TOLERANCE, GitLab
from tests.contract.git import gitlab as fixture
from tests.contract.git_state import GitState, Hook
from tests.contract.vendor import Vendor, standing_in

URL = "https://deploynix.example.com/webhooks/git-repository/7"
SECRET = "a secret that only two know"
NOW = 1_800_000_000
BODY = b'{"ref":"refs/heads/main"}'
KEY = b64decode("8DgaK1zxWXFWausGIp0kCp9encKIfJQ7n6L8pYIkp7M=")


@pytest.fixture
def state() -> GitState:
    return GitState()


@pytest.fixture
def vendor(state: GitState) -> Iterator[Vendor]:
    [found] = fixture.vendors(state)
    with standing_in(found):
        yield found


@pytest.fixture
def gitlab(vendor: Vendor) -> GitLab:
    return GitLab(fixture.VALUES)


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: float(NOW))


def verdicts(findings: Findings) -> dict[str, Verdict]:
    return {check.permission: check.verdict for check in findings.checks}


@pytest.mark.parametrize("address", ["https://git.acme.test", "https://git.acme.test/", "https://git.acme.test:8443"])
def test_an_instance_of_ones_own_is_called(state: GitState, address: str) -> None:
    [vendor] = fixture.vendors(state, f"{address.rstrip('/')}/api/v4")
    with standing_in(vendor):
        assert GitLab({**fixture.VALUES, "base_url": address}).user() == "octocat"


def test_another_page_at_the_base_url_is_told(vendor: Vendor, gitlab: GitLab) -> None:
    vendor.on("GET", "/personal_access_tokens/self", (404, "<html>Not found</html>"))
    with pytest.raises(NotFound) as failure:
        gitlab.verify()
    assert "base URL" in failure.value.hint


@pytest.mark.parametrize("address", ["http://git.acme.test", "git.acme.test", "https://a@b.test", "https://a.test?b"])
def test_a_base_url_that_would_give_the_token_away_is_refused(address: str) -> None:
    with pytest.raises(Invalid) as failure:
        values.complete(GitLab, {**fixture.VALUES, "base_url": address})
    assert failure.value.errors == {"values.base_url": ["The base url format is invalid."]}


def test_the_base_url_may_be_left_out() -> None:
    token = {"access_token": fixture.VALUES["access_token"]}
    assert values.complete(GitLab, token) == fixture.VALUES
    assert GitLab(token).address == "https://gitlab.com/api/v4"


def test_where_gitlab_signs_it_never_sends_the_secret(state: GitState, vendor: Vendor, gitlab: GitLab) -> None:
    gitlab.ensure_webhook(fixture.SHOP, URL, SECRET)
    [hook] = state.shop.hooks
    assert hook.token == ""
    assert not any(SECRET in str(call.body) for call in vendor.calls)
    headers = fixture.sign_with(b64decode(hook.secret.removeprefix("whsec_")), BODY)
    assert GitLab.verify_signature(headers, BODY, SECRET)


def test_a_secret_that_was_sent_is_sent_no_more_once_gitlab_signs(state: GitState, gitlab: GitLab) -> None:
    state.shop.hooks.append(Hook("1", URL, token=SECRET))
    assert gitlab.ensure_webhook(fixture.SHOP, URL, SECRET) == "1"
    [hook] = state.shop.hooks
    assert (bool(hook.secret), hook.token) == (True, "")


def test_where_gitlab_is_too_old_to_sign_it_sends_the_secret(state: GitState) -> None:
    with standing_in(*fixture.vendors(state, can_sign=False)):
        gitlab = GitLab(fixture.VALUES)
        made = gitlab.ensure_webhook(fixture.SHOP, URL, "old")
        assert gitlab.ensure_webhook(fixture.SHOP, URL, SECRET) == made
    [hook] = state.shop.hooks
    assert (hook.id, hook.token) == (made, SECRET)
    assert GitLab.verify_signature({"X-Gitlab-Token": hook.token}, BODY, SECRET)
    assert not GitLab.verify_signature({"X-Gitlab-Token": f"{hook.token} "}, BODY, SECRET)


def test_a_wrong_signature_is_not_made_good_by_the_token() -> None:
    headers = fixture.signed(BODY, "another secret") | {"X-Gitlab-Token": SECRET}
    assert not GitLab.verify_signature(headers, BODY, SECRET)


@pytest.mark.usefixtures("noon")
@pytest.mark.parametrize(
    ("away", "holds"), [(0, True), (TOLERANCE, True), (-TOLERANCE, True), (301, False), (-301, False)]
)
def test_an_old_delivery_cannot_be_sent_again(away: float, holds: bool) -> None:
    headers = fixture.sign_with(KEY, BODY, NOW + away)
    assert GitLab.verify_signature(headers, BODY, "s3cret of ours") is holds


@pytest.mark.usefixtures("noon")
@pytest.mark.parametrize("moment", ["", "now", "-1", "1e9", "٣", f"{NOW}.0", "9" * 5000])
def test_a_moment_that_is_none_does_not_hold(moment: str) -> None:
    headers = fixture.sign_with(KEY, BODY, NOW) | {"Webhook-Timestamp": moment}
    assert not GitLab.verify_signature(headers, BODY, "s3cret of ours")


@pytest.mark.usefixtures("noon")
def test_one_of_several_signatures_is_enough() -> None:
    headers = fixture.sign_with(KEY, BODY, NOW)
    headers["Webhook-Signature"] = f"v1,{'A' * 43}= v2,xyz {headers['Webhook-Signature']}"
    assert GitLab.verify_signature(headers, BODY, "s3cret of ours")


@pytest.mark.parametrize("spare", ["sudo", "admin_mode", "write_repository", "create_runner"])
def test_scopes_that_are_not_needed_are_an_excess(state: GitState, gitlab: GitLab, spare: str) -> None:
    state.scopes = ["api", "read_user", "read_repository", spare]
    found = gitlab.verify()
    assert verdicts(found) == {API: Verdict.EXCESS, READ_USER: Verdict.GRANTED}
    assert f"Not needed: {spare}." in found.checks[0].evidence


def test_the_token_of_an_administrator_is_an_excess(vendor: Vendor, state: GitState, gitlab: GitLab) -> None:
    state.scopes = ["api", "sudo"]
    vendor.on("GET", "/user", (200, {"id": 1, "username": "root", "is_admin": True}))
    found = gitlab.verify()
    assert (verdicts(found)[API], found.account) == (Verdict.EXCESS, "root")
    assert "Not needed: sudo. GET /user: 200, its user is an administrator" in found.checks[0].evidence


def test_a_token_that_may_only_read_is_not_enough(state: GitState, gitlab: GitLab) -> None:
    state.scopes = ["read_api", "read_user"]
    found = gitlab.verify()
    assert verdicts(found) == {API: Verdict.DENIED, READ_USER: Verdict.GRANTED}
    assert "read_api" in found.checks[0].evidence


def test_what_a_fine_grained_token_may_do_is_not_told(state: GitState, gitlab: GitLab) -> None:
    state.scopes = ["granular"]
    assert verdicts(gitlab.verify()) == {API: Verdict.UNTESTABLE, READ_USER: Verdict.UNTESTABLE}


def test_a_token_ends_when_its_day_begins(state: GitState, gitlab: GitLab) -> None:
    assert gitlab.verify().expires_at is None
    state.expires = "2027-01-31"
    assert gitlab.verify().expires_at == datetime(2027, 1, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"deploy_key.fingerprint_sha256": ["has already been taken"]}, "fingerprint_sha256 has already been taken"),
        ({"url": "is blocked"}, "url is blocked"),
        (["one", "two"], "one; two"),
        ("404 Project Not Found", "404 Project Not Found"),
    ],
)
def test_what_gitlab_says_is_shown(vendor: Vendor, gitlab: GitLab, message: object, said: str) -> None:
    vendor.on("GET", "/projects/13/.*", (404, {"message": message}))
    with pytest.raises(NotFound, match=said):
        gitlab.branches(fixture.SHOP)
