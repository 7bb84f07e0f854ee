"""What every Git provider does, on its own vendor's terms."""

import importlib
import json
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from types import ModuleType
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.base import Kind, Verdict
from providers.contracts.git import GitProvider, Push, Repository
from providers.errors import InvalidCredential, MissingPermission, NotFound, RateLimited, Unavailable
from providers.registry import providers_of
from tests.contract.git_state import GitState, Hook, Key
from tests.contract.vendor import Vendor, standing_in

PROVIDERS = sorted(providers_of(Kind.GIT))
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKqP3Cr632C2dNhhgKVcon4ldUSAeKiku2yP9O9"
URL = "https://deploynix.example.com/webhooks/git-repository/7"
SECRET = "a secret that only two know"
CALLS: Mapping[str, Callable[[GitProvider, str], object]] = {
    "repositories": lambda provider, shop: provider.repositories(),
    "branches": lambda provider, shop: provider.branches(shop),
    "deploy key": lambda provider, shop: provider.ensure_deploy_key(shop, "Shop", KEY),
    "webhook": lambda provider, shop: provider.ensure_webhook(shop, URL, SECRET),
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["refs/heads/main", "0" * 40, "branch"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
    max_leaves=10,
)


@pytest.fixture(params=PROVIDERS)
def fixture(request: pytest.FixtureRequest) -> ModuleType:
    """Fails for a provider without one."""
    return importlib.import_module(f"tests.contract.git.{request.param}")


@pytest.fixture
def state() -> GitState:
    return GitState()


@pytest.fixture
def vendors(fixture: ModuleType, state: GitState) -> Iterator[list[Vendor]]:
    found: list[Vendor] = fixture.vendors(state)
    with standing_in(*found):
        yield found


@pytest.fixture
def declaration(fixture: ModuleType) -> type[GitProvider]:
    return cast(type[GitProvider], providers_of(Kind.GIT)[fixture.__name__.rpartition(".")[2]])


@pytest.fixture
def provider(fixture: ModuleType, declaration: type[GitProvider], vendors: list[Vendor]) -> GitProvider:
    return declaration(fixture.VALUES)


def listed(provider: GitProvider, search: str = "") -> list[Repository]:
    page = provider.repositories(search)
    found = [*page.repositories]
    while page.next_page:
        page = provider.repositories(search, page.next_page)
        found += page.repositories
    return found


def test_a_credential_that_was_given_as_one_string_is_divided(
    fixture: ModuleType, declaration: type[GitProvider]
) -> None:
    assert declaration.parse(fixture.TEXT).items() <= fixture.VALUES.items()


def test_the_user_is_named(provider: GitProvider) -> None:
    assert provider.user() == "octocat"


def test_repositories_that_can_be_set_up_are_listed(provider: GitProvider, fixture: ModuleType) -> None:
    found = {repository.full_name: repository for repository in listed(provider)}
    assert "acme/shop-of-others" not in found
    assert found.keys() >= {"acme/blog", "acme/shop", "other/shop-too"}
    shop, blog = found["acme/shop"], found["acme/blog"]
    assert (shop.id, shop.default_branch, shop.is_private, blog.is_private) == (fixture.SHOP, "main", True, False)
    assert shop.clone_url.endswith("/acme/shop.git")
    assert shop.clone_url.startswith("https://")
    assert shop.ssh_url.startswith("git@")
    assert shop.ssh_url.endswith(":acme/shop.git")


def test_one_repository_is_told_as_in_the_list(provider: GitProvider, fixture: ModuleType) -> None:
    for listed_one in listed(provider):
        assert provider.repository(listed_one.full_name) == listed_one
        assert provider.repository(listed_one.id) == listed_one


def test_a_repository_that_may_only_be_read_is_told_too(provider: GitProvider) -> None:
    assert provider.repository("acme/shop-of-others").full_name == "acme/shop-of-others"


def test_whoever_may_not_list_repositories_is_told_of_none(
    provider: GitProvider, state: GitState, fixture: ModuleType
) -> None:
    state.denied = {key for key, call in fixture.NEEDS.items() if call == "repositories"}
    with pytest.raises(MissingPermission) as failure:
        provider.repository("acme/shop")
    assert {failure.value.permission} == state.denied


@pytest.mark.parametrize("size", [1, 2])
def test_pages_are_followed(provider: GitProvider, state: GitState, fixture: ModuleType, size: int) -> None:
    whole = listed(provider)
    state.page_size = size
    assert provider.repositories().repositories, "a first page without anything in it"
    assert listed(provider) == whole
    state.shop.branches = [f"branch-{number}" for number in range(5)]
    assert provider.branches(fixture.SHOP) == state.shop.branches


def test_repositories_are_searched(provider: GitProvider, state: GitState) -> None:
    assert [each.full_name for each in listed(provider, "shop")] == ["acme/shop", "other/shop-too"]
    state.page_size = 1
    assert [each.full_name for each in provider.repositories("too").repositories] == ["other/shop-too"]
    assert listed(provider, "nothing") == []


@pytest.mark.parametrize("page", ["https://attacker.example/", "../../user", "elsewhere/2", "2&admin=1"])
def test_a_page_that_somebody_made_up_is_none(provider: GitProvider, vendors: list[Vendor], page: str) -> None:
    with pytest.raises(NotFound, match="no such page"):
        provider.repositories("", page)
    assert {call.path for vendor in vendors for call in vendor.calls} <= {"/2.0/user/workspaces"}


def test_branches_are_listed(provider: GitProvider, fixture: ModuleType) -> None:
    assert provider.branches(fixture.SHOP) == ["main", "feature/a"]


def test_a_deploy_key_is_added_once_and_removed(provider: GitProvider, state: GitState, fixture: ModuleType) -> None:
    others = [Key("1", "Somebody's", "ssh-rsa AAAAB3Nz", may_write=True), Key("2", "Another", "ssh-ed25519 BBBB")]
    state.shop.keys += others
    state.page_size = 1
    made = provider.ensure_deploy_key(fixture.SHOP, "Shop", f"{KEY} deploynix@shop\n")
    assert provider.ensure_deploy_key(fixture.SHOP, "Another title", KEY) == made
    assert [(key.id, key.title, key.text, key.may_write) for key in state.shop.keys[2:]] == [(made, "Shop", KEY, False)]

    for _ in range(2):
        provider.remove_deploy_key(fixture.SHOP, made)
    assert state.shop.keys == others


def test_a_webhook_is_made_once_changed_and_removed(
    provider: GitProvider, state: GitState, fixture: ModuleType
) -> None:
    others = [Hook("1", f"{URL}0", "old"), Hook("2", "https://chat.example.com/push", "theirs")]
    state.shop.hooks += deepcopy(others)
    state.page_size = 1
    made = provider.ensure_webhook(fixture.SHOP, URL, SECRET)
    ours = state.shop.hooks[2]
    assert (ours.id, ours.url, ours.is_active) == (made, URL, True)
    assert ours.events in [("push",), ("repo:push",)]
    first = ours.secret
    assert first

    ours.is_active, ours.events = False, ("issues",)
    assert provider.ensure_webhook(fixture.SHOP, URL, "a new secret") == made
    assert len(state.shop.hooks) == 3
    assert ours.is_active
    assert ours.events in [("push",), ("repo:push",)]
    assert ours.secret not in ("", first)

    for _ in range(2):
        provider.remove_webhook(fixture.SHOP, made)
    assert state.shop.hooks == others


def test_of_two_webhooks_of_ours_one_stays(provider: GitProvider, state: GitState, fixture: ModuleType) -> None:
    state.shop.hooks += [
        Hook("1", URL, "old"),
        Hook("2", URL, "older"),
        Hook("3", "https://chat.example.com", "theirs"),
    ]
    assert provider.ensure_webhook(fixture.SHOP, URL, SECRET) == "1"
    assert [hook.id for hook in state.shop.hooks] == ["1", "3"]


@pytest.mark.parametrize("name", ["", ".", "..", "acme/..", "../user", "./shop"])
def test_a_name_that_leads_elsewhere_is_no_repository(provider: GitProvider, vendors: list[Vendor], name: str) -> None:
    for call in (provider.repository, provider.branches, lambda name: provider.ensure_deploy_key(name, "Shop", KEY)):
        with pytest.raises(NotFound):
            call(name)
    sent = [call.path for vendor in vendors for call in vendor.calls]
    assert all("%2F" in path for path in sent), "it was sent as the name of something else"


def test_a_repository_that_is_gone_is_told_with_what_to_do(provider: GitProvider) -> None:
    for call in (provider.repository, provider.branches):
        with pytest.raises(NotFound) as failure:
            call("acme/gone")
        assert "404" in failure.value.message
        assert failure.value.hint.startswith("Look whether")


def test_each_declared_permission_is_proven(provider: GitProvider, state: GitState) -> None:
    before = deepcopy(state.repos)
    findings = provider.verify()
    verdicts = {check.permission: check.verdict for check in findings.checks}
    assert verdicts == {permission.key: Verdict.GRANTED for permission in provider.permissions}
    assert findings.account == "octocat"
    assert state.repos == before, "the probe left something behind"


def test_permissions_that_are_missing_are_named_with_their_fix(
    provider: GitProvider, state: GitState, fixture: ModuleType
) -> None:
    needed = {permission.key for permission in provider.permissions if not permission.optional}
    assert fixture.NEEDS.keys() == needed
    for key, call in fixture.NEEDS.items():
        state.denied = {key}
        checks = {check.permission: check for check in provider.verify().checks}
        assert checks[key].verdict == Verdict.DENIED, key
        assert checks[key].evidence
        assert checks[key].fix
        with pytest.raises(MissingPermission) as failure:
            CALLS[call](provider, fixture.SHOP)
        assert (failure.value.permission, bool(failure.value.hint)) == (key, True)


def test_without_a_repository_there_is_nothing_to_try(provider: GitProvider, state: GitState) -> None:
    state.repos = []
    verdicts = {check.verdict for check in provider.verify().checks}
    assert verdicts <= {Verdict.GRANTED, Verdict.UNTESTABLE}


@pytest.mark.parametrize(
    ("status", "error"), [(401, InvalidCredential), (429, RateLimited), (500, Unavailable), (503, Unavailable)]
)
def test_refusals_and_failures_become_the_errors_of_one_tree(
    provider: GitProvider,
    vendors: list[Vendor],
    fixture: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    error: type[Exception],
) -> None:
    monkeypatch.setattr("deploynix.http.FIRST_PAUSE", 0.0)
    answer_all(vendors, status, fixture.ERROR, {"Retry-After": "3600"} if status == 429 else {})
    for call in (lambda: provider.verify(), lambda: provider.ensure_webhook(fixture.SHOP, URL, SECRET)):
        with pytest.raises(error) as failure:
            call()
        said = f"{failure.value} {getattr(failure.value, 'hint', '')}"
        for field in provider.fields:
            assert not field.secret or fixture.VALUES[field.name] not in said
        assert SECRET not in said


@pytest.mark.parametrize("body", ["<html>Bad gateway</html>", '{"login": '])
def test_what_makes_no_sense_is_an_error_too(provider: GitProvider, vendors: list[Vendor], body: str) -> None:
    answer_all(vendors, 200, body, {})
    with pytest.raises(Unavailable):
        provider.verify()


def test_what_has_moved_is_told(provider: GitProvider, vendors: list[Vendor], fixture: ModuleType) -> None:
    answer_all(vendors, 301, {"message": "Moved Permanently"}, {"Location": "https://attacker.example/"})
    with pytest.raises(Exception, match="301") as failure:
        provider.remove_deploy_key(fixture.SHOP, "1")
    assert "another address" in failure.value.hint  # type: ignore[attr-defined]


def answer_all(vendors: list[Vendor], status: int, body: object, headers: dict[str, str]) -> None:
    for vendor in vendors:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            vendor.on(method, ".*", (status, body, headers))


def test_a_signature_that_the_vendor_publishes_holds(
    fixture: ModuleType, declaration: type[GitProvider], monkeypatch: pytest.MonkeyPatch
) -> None:
    headers, body, secret = fixture.VECTOR
    monkeypatch.setattr("time.time", lambda: getattr(fixture, "VECTOR_AT", 0) + 60.0)
    assert declaration.verify_signature(headers, body, secret)
    assert declaration.verify_signature({name.upper(): value for name, value in headers.items()}, body, secret)


def test_a_signature_of_anything_else_does_not_hold(fixture: ModuleType, declaration: type[GitProvider]) -> None:
    body = json.dumps(fixture.PUSH).encode()
    headers = fixture.signed(body, SECRET)
    assert declaration.verify_signature(headers, body, SECRET)
    assert not declaration.verify_signature(headers, body + b" ", SECRET)
    assert not declaration.verify_signature(headers, b"", SECRET)
    assert not declaration.verify_signature(headers, body, "another secret")
    assert not declaration.verify_signature({}, body, SECRET)
    for junk in ("", "é", "sha256=", "sha256=é", "v1,", "v1,é", "v2," + "0" * 44, "sha1=" + "0" * 40):
        assert not declaration.verify_signature(dict.fromkeys(headers, junk), body, SECRET), junk


def test_an_empty_secret_signs_nothing(fixture: ModuleType, declaration: type[GitProvider]) -> None:
    unsigned: list[dict[str, str]] = [fixture.signed(b"{}", ""), {}, {"X-Gitlab-Token": ""}]
    for headers in unsigned:
        assert not declaration.verify_signature(headers, b"{}", "")


def test_a_push_is_read(fixture: ModuleType, declaration: type[GitProvider]) -> None:
    pushes = declaration.parse_push(fixture.EVENT, json.dumps(fixture.PUSH).encode())
    assert pushes == (Push("acme/shop", "feature/a", fixture.SHA, "Ada", "Fix it"),)
    lower = {name.lower(): value for name, value in fixture.EVENT.items()}
    assert declaration.parse_push(lower, json.dumps(fixture.PUSH).encode()) == pushes


def test_a_deletion_has_no_commit(fixture: ModuleType, declaration: type[GitProvider]) -> None:
    [push] = declaration.parse_push(fixture.EVENT, json.dumps(fixture.DELETION).encode())
    assert (push.branch, push.commit, push.message) == ("feature/a", "", "")


def test_tags_and_other_events_are_no_pushes(fixture: ModuleType, declaration: type[GitProvider]) -> None:
    assert not declaration.parse_push(fixture.EVENT, json.dumps(fixture.TAG).encode())
    others: list[dict[str, str]] = [fixture.OTHER_EVENT, {}]
    for headers in others:
        assert not declaration.parse_push(headers, json.dumps(fixture.PUSH).encode())


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b"null", b"7", b"\xff", b"payload=%7B%7D", b"[" * 100_000, b'{"ref": 5, "push": 5}']
)
def test_a_body_that_makes_no_sense_is_refused(
    fixture: ModuleType, declaration: type[GitProvider], body: bytes
) -> None:
    with pytest.raises(ValueError, match=declaration.label):
        declaration.parse_push(fixture.EVENT, body)


@pytest.mark.parametrize("commit", ["--upload-pack=evil", "main", "0" * 39, "A" * 40, "", 7, None])
def test_a_commit_is_a_hash(fixture: ModuleType, declaration: type[GitProvider], commit: Any) -> None:
    text = json.dumps(fixture.PUSH).replace(json.dumps(fixture.SHA), json.dumps(commit))
    with pytest.raises(ValueError, match="push"):
        declaration.parse_push(fixture.EVENT, text.encode())


@pytest.mark.soak
@pytest.mark.parametrize("key", PROVIDERS)
@given(data=st.data())
def test_any_json_is_pushes_or_refused(key: str, data: st.DataObject) -> None:
    fixture = importlib.import_module(f"tests.contract.git.{key}")
    declaration = cast(type[GitProvider], providers_of(Kind.GIT)[key])
    names = data.draw(st.sets(st.sampled_from(sorted(fixture.PUSH)), max_size=3))
    payload = {**fixture.PUSH, **{name: data.draw(JSON) for name in names}}
    try:
        pushes = declaration.parse_push(fixture.EVENT, json.dumps(payload).encode())
    except ValueError:
        return
    assert all(push.repository and push.branch for push in pushes)
