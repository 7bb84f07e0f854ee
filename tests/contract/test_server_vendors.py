"""What is each server vendor's own: what its credentials tell, and what it wants otherwise than the rest."""

import importlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from providers.base import Findings, Kind, Verdict
from providers.contracts.servers import HttpServers, ServerSpec
from providers.errors import Conflict, InvalidCredential, MissingPermission, ProviderError
from providers.registry import providers_of
from tests.contract.state import ServerState
from tests.contract.vendor import Call, Reply, Vendor, described, recording, standing_in

TOKEN = "01JD5W8Q2M7R4T6V9X1Z3B5C7D"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0fWQzXSvkk2Jv1ZYH4 web-1@deploynix"


@contextmanager
def at(key: str) -> Iterator[tuple[HttpServers, ServerState, list[Vendor]]]:
    fixture, state = importlib.import_module(f"tests.contract.servers.{key}"), ServerState()
    vendors: list[Vendor] = fixture.vendors(state)
    with standing_in(*vendors):
        yield cast(HttpServers, providers_of(Kind.SERVER)[key](fixture.VALUES)), state, vendors


def spec_of(key: str, name: str = "web-1", token: str = TOKEN) -> ServerSpec:
    fixture = importlib.import_module(f"tests.contract.servers.{key}")
    return ServerSpec(token, name, fixture.REGION, fixture.SIZE, fixture.IMAGE, public_keys=[KEY])


def verified(key: str, answers: Callable[[list[Vendor]], None]) -> Findings:
    with at(key) as (provider, _, vendors):
        answers(vendors)
        return provider.verify()


def verdicts(findings: Findings) -> dict[str, Verdict]:
    return {check.permission: check.verdict for check in findings.checks}


def sent(vendor: Vendor, method: str, path: str) -> list[Any]:
    return [call.json for call in vendor.calls if (call.method, call.path) == (method, path)]


class TestDigitalOcean:
    def test_the_scopes_are_those_of_the_calls(self) -> None:
        """The description tells the scope of each call, and in its words those of some fields."""
        description = described("digitalocean")
        if description is None:
            pytest.skip("VENDOR_SPECS holds no digitalocean.json")
        with at("digitalocean") as (provider, _, vendors):
            everything(provider, "digitalocean")
            provider.verify()
            needed = set().union(*(scopes_of(description, call) for call in vendors[0].calls))
        assert needed == {permission.key for permission in provider.permissions}

    @pytest.mark.parametrize("scopes", [["read", "write"], ["droplet:create", "domain:update", "kubernetes:delete"]])
    def test_more_scopes_than_needed_are_named(self, scopes: list[str]) -> None:
        findings = verified("digitalocean", lambda vendors: vendors[1].on("GET", "", info(scopes)))
        (excess,) = (check for check in findings.checks if check.verdict == Verdict.EXCESS)
        assert excess.permission == "droplet:create"
        assert re.search("full access|domain:update, kubernetes:delete", excess.evidence)

    def test_full_access_holds_what_cannot_be_tried(self) -> None:
        found = verdicts(verified("digitalocean", lambda vendors: vendors[1].on("GET", "", info(["read", "write"]))))
        assert found["droplet:delete"] == found["tag:create"] == Verdict.GRANTED

    def test_a_token_that_only_reads(self) -> None:
        def answers(vendors: list[Vendor]) -> None:
            vendors[1].on("GET", "", info(["read"]))
            vendors[0].on("POST", ".*", (403, {"id": "forbidden", "message": "You are not authorized"}))

        for scope, verdict in verdicts(verified("digitalocean", answers)).items():
            assert verdict == (Verdict.GRANTED if scope.endswith(":read") else Verdict.DENIED), scope

    def test_a_scope_that_is_missing_is_named_though_nothing_was_tried(self) -> None:
        scopes = ["droplet:read", "droplet:create", "droplet:update"]
        findings = verified("digitalocean", lambda vendors: vendors[1].on("GET", "", info(scopes)))
        (deleting,) = (check for check in findings.checks if check.permission == "droplet:delete")
        assert deleting.verdict == Verdict.DENIED
        assert "droplet:delete" in deleting.fix

    def test_what_a_silent_token_leaves_open_is_said(self) -> None:
        findings = verified("digitalocean", lambda vendors: vendors[1].on("GET", "", (404, "<html>")))
        found = verdicts(findings)
        open_ones = {scope for scope, verdict in found.items() if verdict == Verdict.UNTESTABLE}
        assert open_ones == {"droplet:update", "droplet:delete", "ssh_key:delete", "tag:create"}
        assert findings.expires_at is None

    def test_the_end_of_a_token_is_read(self) -> None:
        findings = verified("digitalocean", lambda vendors: vendors[1].on("GET", "", info(["droplet:read"], 3600)))
        assert findings.expires_at is not None
        assert abs(findings.expires_at - datetime.now(UTC) - timedelta(hours=1)) < timedelta(minutes=1)


class TestVultr:
    def test_acls_tell_what_cannot_be_tried(self) -> None:
        account = {"account": {"name": "Example", "acls": ["provisioning", "subscriptions_view"]}}
        findings = verified("vultr", lambda vendors: vendors[0].on("GET", "/account", (200, account)))
        assert verdicts(findings)["subscriptions"] == Verdict.DENIED
        assert findings.account == "Example"

    def test_a_key_that_may_not_see_its_account_leaves_it_open(self) -> None:
        refusal = 403, {"error": "Forbidden", "status": 403}
        found = verdicts(verified("vultr", lambda vendors: vendors[0].on("GET", "/account", refusal)))
        assert found["subscriptions"] == Verdict.UNTESTABLE
        assert found["provisioning"] == Verdict.GRANTED

    def test_a_closed_address_is_explained(self) -> None:
        refusal = 401, {"error": "Unauthorized IP address: 198.51.100.7", "status": 401}
        with pytest.raises(InvalidCredential, match=r"198\.51\.100\.7") as failure:
            verified("vultr", lambda vendors: vendors[0].on("GET", ".*", refusal))
        assert "Access Control" in failure.value.hint

    def test_the_same_system_again_is_a_reinstall(self) -> None:
        with at("vultr") as (provider, _, vendors):
            made = provider.create(spec_of("vultr"))
            provider.rebuild(made.id, "2136")
            provider.rebuild(made.id, "2284")
            assert sent(vendors[0], "POST", f"/v2/instances/{made.id}/reinstall") == [{"hostname": "web-1"}]
            assert sent(vendors[0], "PATCH", f"/v2/instances/{made.id}") == [{"os_id": "2284"}]

    def test_recorded_pages_are_turned_by_their_cursor(self) -> None:
        pages = {"": 1, "bmV4dF9fMjMw": 2, "bmV4dF9fNDAx": 3}

        def page(call: Call) -> Reply:
            number = pages[call.query.get("cursor", "")]
            return recording(f"libcloud/compute/vultr_v2/list_images_paginated_{number}.json")

        with at("vultr") as (provider, _, vendors):
            vendors[0].on("GET", "/os", page)
            assert provider.images("fra") == []
            assert len(vendors[0].calls) == 3


class TestLinode:
    def test_each_server_has_a_root_password_that_nobody_keeps(self) -> None:
        with at("linode") as (provider, _, vendors):
            provider.create(spec_of("linode"))
            second = provider.create(spec_of("linode", "web-2", "01JD5W8Q2M7R4T6V9X1Z3B5C7E"))
            provider.rebuild(second.id, "linode/debian13", [KEY])
            passwords = [body["root_pass"] for body in sent(vendors[0], "POST", "/v4/linode/instances")]
            passwords += [
                body["root_pass"] for body in sent(vendors[0], "POST", f"/v4/linode/instances/{second.id}/rebuild")
            ]
        assert len(set(passwords)) == 3
        assert all(len(password) >= 64 for password in passwords)
        assert not any(password in repr(second) for password in passwords)

    def test_without_user_data_none_is_sent(self) -> None:
        with at("linode") as (provider, _, vendors):
            provider.create(spec_of("linode"))
            (body,) = sent(vendors[0], "POST", "/v4/linode/instances")
            assert "metadata" not in body

    @pytest.mark.parametrize(
        ("name", "label"), [("a", "server-a"), ("web--1", "web-1"), ("1st.shop", "server-1st.shop")]
    )
    def test_names_become_labels_that_linode_takes(self, name: str, label: str) -> None:
        with at("linode") as (provider, state, _):
            provider.create(spec_of("linode", name))
            assert [machine.name for machine in state.machines.values()] == [label]

    def test_a_label_that_another_server_has_is_a_conflict(self) -> None:
        with at("linode") as (provider, state, _):
            state.add("web-1", "eu-central", "g6-nanode-1", "linode/debian12")
            with pytest.raises(Conflict, match="must be unique") as failure:
                provider.create(spec_of("linode"))
            assert "choose another" in failure.value.hint

    def test_prices_of_a_region_count_there(self) -> None:
        with at("linode") as (provider, _, _):
            assert {size.slug: str(size.monthly) for size in provider.sizes("br-gru")} == {"g6-standard-1": "16.80"}

    def test_the_end_of_the_token_and_its_owner_are_read(self) -> None:
        findings = verified("linode", lambda vendors: None)
        assert findings.expires_at == datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)
        assert findings.account == "ops"

    @pytest.mark.parametrize(
        "scopes", ["*", "linodes:read_write images:read_only domains:read_write account:read_only"]
    )
    def test_other_scopes_are_more_than_needed(self, scopes: str) -> None:
        found = verdicts(verified("linode", lambda vendors: vendors[0].on("GET", "/profile", profile(scopes))))
        assert found["linodes:read_write"] == Verdict.EXCESS
        assert found["account:read_only"] == Verdict.GRANTED

    def test_a_token_without_the_account_says_what_is_lost(self) -> None:
        scopes = "linodes:read_write images:read_write ips:read_write"
        findings = verified("linode", lambda vendors: vendors[0].on("GET", "/profile", profile(scopes)))
        assert verdicts(findings)["account:read_only"] == Verdict.DENIED
        assert verdicts(findings)["linodes:read_write"] == Verdict.GRANTED
        assert findings.expires_at is None

    def test_a_user_who_may_not_add_servers_is_no_bad_token(self) -> None:
        refusal = 403, {"errors": [{"reason": "Unauthorized"}]}
        findings = verified("linode", lambda vendors: vendors[0].on("POST", ".*", refusal))
        assert verdicts(findings)["linodes:read_write"] == Verdict.DENIED

    def test_keys_of_a_profile_need_more_than_servers_do(self) -> None:
        refusal = 401, {"errors": [{"reason": "Your OAuth token is not authorized to use this endpoint."}]}
        with at("linode") as (provider, _, vendors):
            vendors[0].on("POST", "/profile/sshkeys", refusal)
            with pytest.raises(MissingPermission) as failure:
                provider.upload_ssh_key("laptop", KEY)
            assert "Account → Read/Write" in failure.value.hint


class TestHetzner:
    def test_a_token_that_only_reads_is_found_out(self) -> None:
        with at("hetzner") as (provider, state, _):
            state.denied = {"write"}
            assert verdicts(provider.verify()) == {"read": Verdict.GRANTED, "write": Verdict.DENIED}

    def test_a_full_project_is_no_missing_permission(self) -> None:
        refusal = 403, {"error": {"code": "resource_limit_exceeded", "message": "server limit exceeded"}}
        with at("hetzner") as (provider, _, vendors):
            vendors[0].on("POST", "/servers", refusal)
            with pytest.raises(ProviderError, match="server limit exceeded") as failure:
                provider.create(spec_of("hetzner"))
            assert not isinstance(failure.value, MissingPermission)
            assert "higher limit" in failure.value.hint

    def test_a_locked_server_can_be_tried_again(self) -> None:
        refusal = 423, {"error": {"code": "locked", "message": "server is locked"}}
        with at("hetzner") as (provider, _, vendors):
            made = provider.create(spec_of("hetzner"))
            vendors[0].on("POST", ".*", refusal)
            with pytest.raises(Conflict, match="locked") as failure:
                provider.reboot(made.id)
            assert failure.value.retryable

    def test_prices_are_those_of_the_location(self) -> None:
        with at("hetzner") as (provider, _, _):
            assert {size.slug: str(size.monthly) for size in provider.sizes("nbg1")} == {
                "cx22": "3.39",
                "cax11": "3.79",
            }


@pytest.mark.parametrize(
    ("key", "path", "name"), [("digitalocean", "/droplets", "droplets"), ("hetzner", "/servers", "servers")]
)
def test_a_server_is_ours_by_its_mark_whatever_the_filter_let_through(key: str, path: str, name: str) -> None:
    fixture = importlib.import_module(f"tests.contract.servers.{key}")
    with at(key) as (provider, state, vendors):
        foreign = state.add("web-9", fixture.REGION, fixture.SIZE, fixture.IMAGE, tags=["deploynix==01somebodyelse"])
        vendors[0].on("GET", path, lambda call: fixture.page(call, name, [fixture.shown(foreign)]))
        assert provider.find(TOKEN) is None


def everything(provider: HttpServers, key: str) -> None:
    """Makes every call of the contract once."""
    spec = replace(spec_of(key), tags=["shop"])
    provider.regions(), provider.sizes(spec.region), provider.images(spec.region)
    made = provider.create(spec)
    provider.get(made.id), provider.reboot(made.id), provider.rebuild(made.id, spec.image, [KEY])
    provider.delete(made.id)
    for ssh_key in provider.ssh_keys():
        provider.delete_ssh_key(ssh_key.id)


def scopes_of(description: Any, call: Call) -> set[str]:
    path = next(each for each in description["paths"] if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", each), call.path))
    operation = description["paths"][path][call.method.lower()]
    scopes = {scope for each in operation["security"] for scope in each["bearer_auth"]}
    if "tag_name" in call.query:
        scopes.add("tag:read")
    if call.method == "POST" and "tags" in call.json:
        scopes.add("tag:create")
    return scopes


def info(scopes: list[str], seconds: int | None = None) -> Reply:
    return 200, {"scopes": scopes, "expires_in_seconds": seconds}


def profile(scopes: str) -> Reply:
    return 200, {"username": "ops"}, {"X-OAuth-Scopes": scopes}
