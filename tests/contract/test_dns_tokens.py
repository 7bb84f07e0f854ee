"""What six DNS providers tell of their tokens, and how each refuses and turns pages in its own way."""

import importlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from providers.base import Findings, Kind, Verdict
from providers.contracts.dns import EDIT, READ, DnsProvider
from providers.dns.digitalocean import REMOVE
from providers.errors import InvalidCredential, MissingPermission
from providers.registry import providers_of
from tests.contract.state import DnsState
from tests.contract.vendor import Reply, Vendor, standing_in

NAME = "_acme-challenge.www.example.com"
# The smallest page that every description allows.
PAGE = 25


@contextmanager
def at(key: str, **changes: str) -> Iterator[tuple[DnsProvider, DnsState, list[Vendor]]]:
    """The provider, its state, and the vendors; `changes` are values of the credential."""
    fixture = importlib.import_module(f"tests.contract.dns.{key}")
    state = cast(DnsState, fixture.state() if hasattr(fixture, "state") else DnsState())
    vendors: list[Vendor] = fixture.vendors(state)
    with standing_in(*vendors):
        yield cast(DnsProvider, providers_of(Kind.DNS)[key]({**fixture.VALUES, **changes})), state, vendors


def verified(key: str, answers: Callable[[list[Vendor]], None]) -> Findings:
    """What is found out where the vendors give these answers besides."""
    with at(key) as (provider, _, vendors):
        answers(vendors)
        return provider.verify()


def verdict(findings: Findings, permission: str) -> Verdict:
    return next(check.verdict for check in findings.checks if check.permission == permission)


@pytest.mark.parametrize(
    ("key", "module"),
    [
        ("digitalocean", "providers.clients.digitalocean"),
        ("linode", "providers.clients.linode"),
        ("vultr", "providers.clients.vultr"),
        ("vercel", "providers.dns.vercel"),
        ("dnsimple", "providers.dns.dnsimple"),
        ("cloudflare", "providers.dns.cloudflare"),
    ],
)
def test_every_page_is_read(key: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{module}.PER_PAGE", PAGE)
    with at(key) as (provider, state, _):
        state.zones.update({f"zone{number}.example.net": str(100 + number) for number in range(2 * PAGE)})
        assert {zone.name for zone in provider.zones()} == set(state.zones)
        values = {f"value {number}" for number in range(2 * PAGE)}
        for value in values:
            state.add("example.com", NAME, "TXT", value)
        zone = provider.find_zone(NAME)
        assert {record.value for record in provider.records(zone, NAME, "TXT")} == values


@pytest.mark.parametrize("key", ["digitalocean", "vultr", "vercel", "dnsimple"])
def test_a_name_stays_one_part_of_the_address(key: str) -> None:
    with at(key) as (provider, _, vendors):
        assert provider.zone_named("a/../../b?c.example.com") is None
        assert vendors[0].calls[-1].path.endswith("/a%2F..%2F..%2Fb%3Fc.example.com")


@pytest.mark.parametrize("key", ["digitalocean", "vultr", "linode", "vercel", "dnsimple", "netlify"])
def test_a_record_that_somebody_else_removed_is_no_error(key: str) -> None:
    with at(key) as (provider, state, vendors):
        state.add("example.com", NAME, "TXT", "one")
        state.remove = lambda zone, row_id: False  # type: ignore[method-assign]
        provider.remove_record(provider.find_zone(NAME), NAME, "TXT", "one")
        assert vendors[0].calls[-1].method == "DELETE"


class TestCloudflare:
    def test_what_has_not_the_form_of_a_token_is_none(self) -> None:
        error = {"code": 6003, "message": "Invalid request headers", "error_chain": [{"code": 6111}]}
        refusal = 400, {"success": False, "errors": [error], "result": None}
        with pytest.raises(InvalidCredential, match="Invalid request headers") as failure:
            verified("cloudflare", lambda vendors: vendors[0].on("GET", ".*", refusal))
        assert "whole API Token" in failure.value.hint


class TestDigitalOcean:
    def test_full_access_is_more_than_needed(self) -> None:
        findings = verified("digitalocean", lambda vendors: vendors[1].on("GET", "", info(["read", "write"])))
        assert verdict(findings, EDIT) == Verdict.EXCESS
        assert "scopes read, write" in findings.checks[1].evidence
        assert verdict(findings, READ) == verdict(findings, REMOVE) == Verdict.GRANTED

    def test_the_end_of_a_token_is_read(self) -> None:
        findings = verified("digitalocean", lambda vendors: vendors[1].on("GET", "", info(["domain:read"], 3600)))
        assert findings.expires_at is not None
        assert abs(findings.expires_at - datetime.now(UTC) - timedelta(hours=1)) < timedelta(minutes=1)

    @pytest.mark.parametrize("answer", [(404, "<html>"), (200, "<html>"), (200, []), (200, {"scopes": 7})])
    def test_a_token_that_tells_nothing_about_itself_is_good(self, answer: Reply) -> None:
        findings = verified("digitalocean", lambda vendors: vendors[1].on("GET", "", answer))
        assert {check.verdict for check in findings.checks} == {Verdict.GRANTED}
        assert findings.expires_at is None

    def test_nothing_is_made_that_could_not_be_removed(self) -> None:
        with at("digitalocean") as (provider, state, vendors):
            state.denied = {REMOVE}
            findings = provider.verify()
            assert verdict(findings, REMOVE) == Verdict.DENIED
            assert verdict(findings, EDIT) == Verdict.UNTESTABLE
            assert "POST" not in {call.method for call in vendors[0].calls}

    def test_without_a_domain_nothing_can_be_tried(self) -> None:
        with at("digitalocean") as (provider, state, _):
            state.zones.clear()
            findings = provider.verify()
            assert verdict(findings, EDIT) == verdict(findings, REMOVE) == Verdict.UNTESTABLE

    def test_an_alias_of_the_domain_itself(self) -> None:
        with at("digitalocean") as (provider, state, _):
            zone = provider.find_zone("app.example.com")
            for _ in range(2):
                provider.ensure_record(zone, "app.example.com", "CNAME", "example.com")
            assert state.values("example.com", "app.example.com", "CNAME") == ["example.com."]


class TestVultr:
    def test_a_key_of_the_owner_is_more_than_needed(self) -> None:
        findings = verified("vultr", lambda vendors: vendors[0].on("GET", "/account", account(["billing", "dns"])))
        assert verdict(findings, EDIT) == Verdict.EXCESS
        assert "billing" in findings.checks[1].evidence
        assert "billing" not in findings.checks[1].fix
        assert findings.account == "Example"

    def test_a_key_that_may_not_see_its_account_is_good(self) -> None:
        refusal = 403, {"error": "Forbidden", "status": 403}
        findings = verified("vultr", lambda vendors: vendors[0].on("GET", "/account", refusal))
        assert {check.verdict for check in findings.checks} == {Verdict.GRANTED}

    def test_a_closed_address_is_explained(self) -> None:
        refusal = 401, {"error": "Unauthorized IP address: 198.51.100.7", "status": 401}
        with pytest.raises(InvalidCredential, match=r"198\.51\.100\.7") as failure:
            verified("vultr", lambda vendors: vendors[0].on("GET", ".*", refusal))
        assert "Access Control" in failure.value.hint


class TestLinode:
    def test_a_missing_scope_is_no_bad_token(self) -> None:
        refusal = 401, {"errors": [{"reason": "Your OAuth token is not authorized to use this endpoint."}]}
        findings = verified("linode", lambda vendors: vendors[0].on("POST", ".*", refusal))
        assert verdict(findings, EDIT) == Verdict.DENIED
        assert "Domains → Read/Write" in findings.checks[1].fix

    @pytest.mark.parametrize(
        "scopes", ["*", "domains:read_write linodes:read_write", "domains:read_write,account:read_write"]
    )
    def test_other_scopes_are_more_than_needed(self, scopes: str) -> None:
        def answers(vendors: list[Vendor]) -> None:
            vendors[0].on("GET", "/profile", (200, {}, {"X-OAuth-Scopes": scopes}))
            vendors[0].on("GET", "/profile/tokens", tokens([]), is_described=False)

        assert verdict(verified("linode", answers), EDIT) == Verdict.EXCESS

    @pytest.mark.parametrize(
        ("expiry", "ends"), [("2027-01-02T03:04:05", datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)), (None, None)]
    )
    def test_the_end_of_a_token_is_read_where_it_may_be(self, expiry: str | None, ends: datetime | None) -> None:
        def answers(vendors: list[Vendor]) -> None:
            scopes = "domains:read_write account:read_only"
            other = {"token": "fedcba9876543210", "expiry": "2026-12-31T00:00:00"}
            ours = {"token": "0123456789abcdef", "expiry": expiry}
            vendors[0].on("GET", "/profile", (200, {"username": "ops"}, {"X-OAuth-Scopes": scopes}))
            vendors[0].on("GET", "/profile/tokens", tokens([other, ours]), is_described=False)

        findings = verified("linode", answers)
        assert findings.expires_at == ends
        assert verdict(findings, EDIT) == Verdict.GRANTED
        assert findings.account == "ops"

    def test_values_live_as_long_as_linode_allows_at_least(self) -> None:
        with at("linode") as (provider, state, _):
            provider.ensure_record(provider.find_zone(NAME), NAME, "TXT", "one", 60)
            assert state.found("example.com", NAME)[0].ttl == 300

    def test_a_copied_zone_is_none_of_ours(self) -> None:
        with at("linode") as (provider, _, _):
            assert provider.zone_named("copied.example.net") is None

    def test_what_was_wrong_with_a_field_is_said(self) -> None:
        refusal = 400, {"errors": [{"reason": "Invalid target", "field": "target"}]}
        with at("linode") as (provider, _, vendors):
            vendors[0].on("POST", ".*", refusal)
            with pytest.raises(Exception, match="400: target: Invalid target"):
                provider.ensure_record(provider.find_zone(NAME), NAME, "A", "192.0.2.1")


class TestVercel:
    def test_a_token_of_the_full_account_is_more_than_needed(self) -> None:
        findings = verified("vercel", lambda vendors: metadata(vendors[0], {"scopes": [{"type": "user"}]}))
        assert verdict(findings, EDIT) == Verdict.EXCESS

    def test_the_end_of_a_token_is_read(self) -> None:
        findings = verified("vercel", lambda vendors: metadata(vendors[0], {"expiresAt": 1798859045000}))
        assert findings.expires_at == datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)
        assert verdict(findings, EDIT) == Verdict.GRANTED

    def test_a_token_that_may_not_look_at_itself_is_good(self) -> None:
        def answers(vendors: list[Vendor]) -> None:
            vendors[0].on("GET", "/v5/user/tokens/current", (404, {}), is_described=False)

        assert {check.verdict for check in verified("vercel", answers).checks} == {Verdict.GRANTED}

    def test_an_unknown_token_is_no_missing_permission(self) -> None:
        refusal = 403, {"error": {"code": "forbidden", "message": "Not authorized", "invalidToken": True}}
        with pytest.raises(InvalidCredential, match="Not authorized"):
            verified("vercel", lambda vendors: vendors[0].on("GET", ".*", refusal))

    def test_the_domains_of_a_person_need_no_team(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tests.contract.dns.vercel.is_signed", lambda call: "teamId" not in call.query)
        with at("vercel", team_id="") as (provider, state, _):
            assert {zone.name for zone in provider.zones()} == set(state.zones)


class TestDnSimple:
    def test_a_token_of_one_zone_is_probed_there(self) -> None:
        with at("dnsimple", zone="shop.example.com") as (provider, _, vendors):
            vendors[0].on("GET", "/1010/zones", (403, {"message": "Permission Denied"}))
            findings = provider.verify()
            assert {check.verdict for check in findings.checks} == {Verdict.GRANTED}
            assert "shop.example.com" in findings.checks[0].evidence

    def test_one_string_is_the_token(self) -> None:
        assert providers_of(Kind.DNS)["dnsimple"].parse("dnsimple_a_x") == {"access_token": "dnsimple_a_x"}


class TestNetlify:
    def test_every_page_is_read(self) -> None:
        with at("netlify") as (provider, _, vendors):
            url = f"{vendors[0].base_url}/dns_zones"
            zones, following = [{"id": "1", "name": "a.example"}], [{"id": "2", "name": "b.example"}]
            vendors[0].on("GET", "/dns_zones", (200, zones, {"Link": f'<{url}/more>; rel="next"'}))
            vendors[0].on("GET", "/dns_zones/more", (200, following), is_described=False)
            assert [zone.name for zone in provider.zones()] == ["a.example", "b.example"]

    def test_a_domain_without_a_zone_there_is_not_found(self) -> None:
        with at("netlify") as (provider, state, _):
            state.zones.clear()
            assert verdict(provider.verify(), EDIT) == Verdict.UNTESTABLE

    def test_no_role_for_zones_is_named(self) -> None:
        with at("netlify") as (provider, state, _):
            state.denied = {READ}
            with pytest.raises(MissingPermission, match="403: Forbidden") as failure:
                provider.find_zone(NAME)
        assert "sees its DNS zones" in failure.value.hint


def info(scopes: list[str], seconds: int | None = None) -> Reply:
    return 200, {"scopes": scopes, "expires_in_seconds": seconds}


def account(acls: list[str]) -> Reply:
    return 200, {"account": {"name": "Example", "email": "ops@example.com", "acls": acls}}


def tokens(rows: Sequence[Mapping[str, str | None]]) -> Reply:
    return 200, {"data": rows, "page": 1, "pages": 1, "results": len(rows)}


def metadata(vendor: Vendor, token: dict[str, object]) -> None:
    vendor.on("GET", "/v5/user/tokens/current", (200, json.dumps({"token": token})), is_described=False)
