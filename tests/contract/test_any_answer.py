"""Whatever a vendor answers, an adapter does as its contract says, or raises an error of the one tree without a secret.

An answer of the stand-in is changed on its way: a part of its JSON becomes something else, or all of it, or its status.
"""

import importlib
import json
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django import Settings
from requests import PreparedRequest

from deploynix.http import LARGEST_BODY
from providers.base import Findings, Kind, Provider
from providers.contracts.dns import DnsProvider
from providers.contracts.git import GitProvider
from providers.contracts.servers import ServerProvider, ServerSpec
from providers.dns.powerdns import PowerDns
from providers.errors import InvalidCredential, ProviderError, RateLimited, Unavailable
from providers.registry import providers_of
from tests.contract.git_state import GitState
from tests.contract.state import DnsState, ServerState
from tests.contract.vendor import Answering, Sent, Vendor, standing_in
from tests.examples import share

# They speak another language, and are answered in it elsewhere.
ELSEWHERE = {(Kind.DNS, "rfc2136"), (Kind.DNS, "route53"), (Kind.SERVER, "aws")}
FOLDERS = {Kind.DNS: "dns", Kind.SERVER: "servers", Kind.GIT: "git"}
EACH = [
    pytest.param(kind, key, id=f"{folder}-{key}")
    for kind, folder in FOLDERS.items()
    for key in sorted(providers_of(kind))
    if (kind, key) not in ELSEWHERE
]
NAME = "_acme-challenge.www.example.com"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0fWQzXSvkk2Jv1ZYH4 web-1@deploynix"
SECRET = "a secret that only two know"

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["", "0", "-1", "1e999", "\x00", "\ud800", "..", "a/b", "https://elsewhere.example/"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
STATUSES = [200, 201, 202, 204, 301, 307, 400, 401, 403, 404, 405, 409, 412, 418, 422, 423, 429, 500, 502, 503]
RETRY_AFTER = ["", "3", "Wed, 21 Oct 2099 07:28:00 GMT", "-1", "1.5", "soon", "9" * 400]


def dns_calls(provider: DnsProvider, fixture: Any) -> Mapping[str, Callable[[], Any]]:
    zone = provider.find_zone(NAME)
    return {
        "zones": lambda: list(provider.zones()),
        "find_zone": lambda: provider.find_zone(NAME),
        "all_records": lambda: list(provider.all_records(zone)),
        "records": lambda: provider.records(zone, NAME, "TXT"),
        "ensure_record": lambda: provider.ensure_record(zone, NAME, "TXT", "one"),
        "remove_record": lambda: provider.remove_record(zone, NAME, "TXT", "there"),
        "alias": lambda: provider.ensure_record(zone, "www.example.com", "CNAME", "there.example.net"),
        "verify": provider.verify,
    }


def server_calls(provider: ServerProvider, fixture: Any) -> Mapping[str, Callable[[], Any]]:
    place = {"region": fixture.REGION, "size": fixture.SIZE, "image": fixture.IMAGE}
    spec = ServerSpec("01JD5W8Q2M7R4T6V9X1Z3B5C7D", "web-1", **place, public_keys=[KEY], user_data="#cloud-config\n")
    there = provider.create(spec)
    return {
        "regions": provider.regions,
        "sizes": lambda: provider.sizes(fixture.REGION),
        "images": lambda: provider.images(fixture.REGION),
        "create": lambda: provider.create(ServerSpec("01JD5W8Q2M7R4T6V9X1Z3B5C7E", "web-2", **place)),
        "get": lambda: provider.get(there.id),
        "reboot": lambda: provider.reboot(there.id),
        "rebuild": lambda: provider.rebuild(there.id, fixture.IMAGE, [KEY]),
        "delete": lambda: provider.delete(there.id),
        "ssh_keys": provider.ssh_keys,
        "upload_ssh_key": lambda: provider.upload_ssh_key("laptop", KEY),
        "delete_ssh_key": lambda: provider.delete_ssh_key("4711"),
        "verify": provider.verify,
    }


def git_calls(provider: GitProvider, fixture: Any) -> Mapping[str, Callable[[], Any]]:
    shop, url = fixture.SHOP, "https://deploynix.example.com/webhooks/git-repository/7"
    return {
        "user": provider.user,
        "repositories": provider.repositories,
        "search": lambda: provider.repositories("shop"),
        "branches": lambda: provider.branches(shop),
        "ensure_deploy_key": lambda: provider.ensure_deploy_key(shop, "Shop", KEY),
        "remove_deploy_key": lambda: provider.remove_deploy_key(shop, "1"),
        "ensure_webhook": lambda: provider.ensure_webhook(shop, url, SECRET),
        "remove_webhook": lambda: provider.remove_webhook(shop, "1"),
        "verify": provider.verify,
    }


CALLS: Mapping[Kind, Any] = {Kind.DNS: dns_calls, Kind.SERVER: server_calls, Kind.GIT: git_calls}


@dataclass
class Tampered:
    """A vendor whose answers come changed. What the stand-in cannot make sense of is not there."""

    vendor: Vendor
    change: Callable[[Sent], Sent]
    seen: list[Sent] = field(default_factory=list)

    @property
    def base_url(self) -> str:
        return self.vendor.base_url

    def answer(self, request: PreparedRequest) -> Sent:
        try:
            sent = self.vendor.answer(request)
        except Exception:
            if not self.seen:
                raise
            sent = 404, {}, "{}"
        self.seen.append(sent)
        return self.change(sent)


@dataclass
class Asked:
    """A provider at vendors whose answers go through `change`, once that is set; and what can be called."""

    provider: Provider
    calls: Mapping[str, Callable[[], Any]]
    change: list[Callable[[Sent], Sent]]

    def secrets(self, name: str = "ensure_webhook") -> list[str]:
        """Those that a call knows of."""
        sent = [SECRET] if name == "ensure_webhook" else []
        return [*sent, *(self.provider.values[each.name] for each in self.provider.fields if each.secret)]


@contextmanager
def at(kind: Kind, key: str) -> Iterator[Asked]:
    fixture: Any = importlib.import_module(f"tests.contract.{FOLDERS[kind]}.{key}")
    change: list[Callable[[Sent], Sent]] = [lambda sent: sent]
    vendors: list[Answering] = [
        Tampered(vendor, lambda sent: change[0](sent)) for vendor in fixture.vendors(state(kind, fixture))
    ]
    with standing_in(*vendors), pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.sleep", lambda seconds: None)
        provider = providers_of(kind)[key](fixture.VALUES)
        yield Asked(provider, CALLS[kind](provider, fixture), change)


def state(kind: Kind, fixture: Any) -> Any:
    if kind == Kind.SERVER:
        return ServerState()
    if kind == Kind.GIT:
        return GitState()
    found = fixture.state() if hasattr(fixture, "state") else DnsState()
    found.add("example.com", NAME, "TXT", "there")
    found.add("example.com", "www.example.com", "CNAME", "there.example.net")
    return found


def call(asked: Asked, name: str) -> None:
    """Raises what is no error of the tree, or holds a secret."""
    try:
        found = asked.calls[name]()
    except ProviderError as error:
        texts = [error.message, error.hint]
    else:
        texts = [repr(found)]
        if name == "branches":
            assert all(isinstance(branch, str) for branch in found)
        if isinstance(found, Findings):
            json.dumps([check.evidence for check in found.checks])
    for secret in asked.secrets(name):
        assert not any(secret in text for text in texts)


@pytest.mark.soak
@pytest.mark.parametrize(("kind", "key"), EACH)
@settings(max_examples=share(10))
@given(data=st.data())
def test_an_answer_of_another_shape_is_an_error_of_the_tree(kind: Kind, key: str, data: st.DataObject) -> None:
    with at(kind, key) as asked:
        name = data.draw(st.sampled_from(sorted(asked.calls)))
        left = [data.draw(st.integers(0, 4))]

        def change(sent: Sent) -> Sent:
            left[0] -= 1
            return tampered(sent, data) if left[0] == -1 else sent

        asked.change[0] = change
        call(asked, name)


def always(status: int, body: str, sent: Sent) -> Sent:
    return status, {}, body


def tampered(sent: Sent, data: st.DataObject) -> Sent:
    status, headers, text = sent
    try:
        body = json.loads(text)
    except ValueError:
        start = data.draw(st.integers(0, len(text)))
        return status, headers, text[:start] + data.draw(st.sampled_from(["", "<x/>", '"', "&", text]))
    path = data.draw(st.sampled_from(list(paths(body))))
    return status, headers, json.dumps(put(body, path, data.draw(JSON)))


def paths(body: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Of each part of it, itself first."""
    yield here
    parts = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for name, part in parts:
        yield from paths(part, (*here, name))


def put(body: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = body.copy()
    copy[path[0]] = put(body[path[0]], path[1:], new)
    return copy


@pytest.mark.soak
@pytest.mark.parametrize(("kind", "key"), EACH)
@settings(max_examples=share(10))
@given(data=st.data())
def test_any_status_is_an_error_of_the_tree_without_a_secret(kind: Kind, key: str, data: st.DataObject) -> None:
    """The body has the secrets in it, in the form of the vendor's errors and in others."""
    with at(kind, key) as asked:
        fixture: Any = importlib.import_module(f"tests.contract.{FOLDERS[kind]}.{key}")
        said = json.loads(json.dumps(fixture.ERROR))
        for path in paths(said):
            if isinstance(at_path(said, path), str):
                said = put(said, path, f"no {' '.join(asked.secrets())}: \x00{at_path(said, path)}")
        echo = data.draw(
            st.sampled_from([said, asked.secrets(), asked.secrets()[-1], {"error": asked.secrets()[-1]}, "<html>"])
        )
        status, pause = data.draw(st.sampled_from(STATUSES)), data.draw(st.sampled_from(RETRY_AFTER))
        body = echo if isinstance(echo, str) else json.dumps(echo)
        asked.change[0] = lambda sent: (status, {"Retry-After": pause} if pause else {}, body)
        call(asked, data.draw(st.sampled_from(sorted(asked.calls))))


def at_path(body: Any, path: tuple[Any, ...]) -> Any:
    for name in path:
        body = body[name]
    return body


@pytest.mark.parametrize(("kind", "key"), EACH)
def test_bodies_that_no_one_could_read(kind: Kind, key: str) -> None:
    for body in ("[" * 100_000, "x" * (LARGEST_BODY + 1), '{"a":' * 50_000, "\x00", "9" * 5000):
        with at(kind, key) as asked:
            asked.change[0] = partial(always, 200, body)
            with pytest.raises(Unavailable):
                asked.calls["regions" if kind == Kind.SERVER else "verify"]()


@pytest.mark.parametrize(("kind", "key"), EACH)
@pytest.mark.parametrize("status", [301, 307])
def test_nobody_is_followed_elsewhere(kind: Kind, key: str, status: int) -> None:
    """Whoever follows finds nobody there. Zones that were found before may be known still."""
    with at(kind, key) as asked:
        asked.change[0] = lambda sent: (status, {"Location": "https://elsewhere.example/"}, "{}")
        for name in asked.calls.keys() - {"zones", "find_zone"}:
            with pytest.raises(ProviderError, match=str(status)):
                asked.calls[name]()


@pytest.mark.parametrize(("kind", "key"), EACH)
@pytest.mark.parametrize(
    ("pause", "seconds"), [("", 60), ("3600", 3600), ("Wed, 21 Oct 2099 07:28:00 GMT", 86400), ("9" * 400, 86400)]
)
def test_the_pause_that_is_asked_for_is_known(kind: Kind, key: str, pause: str, seconds: int) -> None:
    with at(kind, key) as asked:
        asked.change[0] = lambda sent: (429, {"Retry-After": pause} if pause else {}, "{}")
        with pytest.raises(RateLimited) as failure:
            asked.provider.verify()
        # As a header of ours says it, too.
        assert str(failure.value.retry_after) == str(seconds)
        assert failure.value.retryable


@pytest.mark.parametrize("character", ["→", "\ud800"])
def test_a_character_that_no_secret_has_is_the_secrets_fault(settings: Settings, character: str) -> None:
    """It is the same door for all."""
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]
    with socket.create_server(("127.0.0.1", 0)) as door:
        url = f"http://127.0.0.1:{door.getsockname()[1]}"
        with pytest.raises(InvalidCredential, match="a character that none can have") as failure:
            PowerDns({"base_url": url, "api_key": f"key{character}"}).verify()
    assert character not in f"{failure.value} {failure.value.hint} {failure.value.__cause__}"


@pytest.mark.parametrize("url", ["https://[::1", "https://a b", "https://x:99999", "https://" + "a" * 70 + ".example"])
def test_an_address_that_is_none_is_said_to_be_one(url: str) -> None:
    with pytest.raises(ProviderError, match=r"no address that can be called|no such address"):
        PowerDns({"base_url": url, "api_key": "key"}).verify()


@pytest.mark.parametrize("name", ["base_url", "endpoint"])
def test_an_address_holds_no_password(name: str) -> None:
    """It is shown to everybody who may see the credential."""
    declared = [each for kind in Kind for provider in providers_of(kind).values() for each in provider.fields]
    patterns = [each.pattern for each in declared if each.name == name]
    assert patterns
    for pattern in patterns:
        assert not re.fullmatch(pattern, "https://somebody:password@nyc3.digitaloceanspaces.com")
