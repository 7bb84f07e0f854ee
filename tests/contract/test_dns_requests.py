"""What six DNS providers are sent, word for word where no description says it, and how each refuses in its own way."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from providers.base import Kind, Verdict
from providers.contracts.dns import EDIT, READ
from providers.errors import (
    InvalidCredential,
    MissingPermission,
    NotFound,
    ProviderError,
    RateLimited,
    Unavailable,
)
from providers.registry import providers_of
from tests.contract.dns import gandi, hetzner, porkbun
from tests.contract.test_dns_tokens import at, verdict
from tests.contract.vendor import Call, Reply, Vendor

NAME = "_acme-challenge.www.example.com"


def sent(vendor: Vendor) -> list[tuple[str, str, object]]:
    """The writing calls: method, path and body."""
    return [(call.method, call.path, call.json if call.body else None) for call in vendor.calls if call.method != "GET"]


def in_turn(*replies: Reply) -> Callable[[Call], Reply]:
    waiting = iter(replies)
    return lambda call: next(waiting)


@pytest.mark.parametrize("key", ["gandi", "desec", "hetzner", "porkbun", "godaddy"])
def test_a_name_stays_one_part_of_the_address(key: str) -> None:
    with at(key) as (provider, _, vendors):
        zone = provider.find_zone("example.com")
        for method in ("GET", "POST"):
            vendors[0].on(method, ".*", (404, {}))
        with suppress(NotFound):
            provider.records(zone, "a/../../b?c.example.com", "TXT")
        assert "a%2F..%2F..%2Fb%3Fc" in vendors[0].calls[-1].path


@pytest.mark.parametrize(("key", "ttl"), [("gandi", 300), ("desec", 3600), ("porkbun", 600), ("namecom", 300)])
def test_the_shortest_ttl_is_what_the_vendor_takes(key: str, ttl: int) -> None:
    with at(key) as (provider, state, _):
        provider.ensure_record(provider.find_zone(NAME), NAME, "TXT", "one", ttl=60)
        assert [row.ttl for row in state.found("example.com", NAME)] == [ttl]


@pytest.mark.parametrize("key", ["gandi", "desec", "hetzner", "godaddy"])
def test_the_ttl_of_neighbours_stays(key: str) -> None:
    with at(key) as (provider, state, _):
        state.add("example.com", NAME, "TXT", "somebody else's", ttl=7200)
        zone = provider.find_zone(NAME)
        provider.ensure_record(zone, NAME, "TXT", "one")
        provider.remove_record(zone, NAME, "TXT", "one")
        assert [(row.value, row.ttl) for row in state.found("example.com", NAME)] == [("somebody else's", 7200)]


@pytest.mark.parametrize(
    ("key", "text", "values"),
    [
        ("porkbun", "pk1_a:sk1_b", {"api_key": "pk1_a", "secret_api_key": "sk1_b"}),
        ("namecom", "ada:token", {"username": "ada", "api_token": "token"}),
        ("godaddy", "key:secret", {"key": "key", "secret": "secret"}),
        ("gandi", "f" * 40, {"token": "f" * 40, "scheme": "token"}),
        ("gandi", "Aa0Bb1Cc2Dd3Ee4Ff5Gg6Hh7", {"token": "Aa0Bb1Cc2Dd3Ee4Ff5Gg6Hh7", "scheme": "api_key"}),
        ("desec", "token", {"token": "token"}),
        ("hetzner", "token", {"api_token": "token"}),
    ],
)
def test_a_credential_in_one_string(key: str, text: str, values: dict[str, str]) -> None:
    assert providers_of(Kind.DNS)[key].parse(text) == values


@pytest.mark.parametrize("key", ["porkbun", "namecom", "godaddy"])
@pytest.mark.parametrize("text", ["", "hunter2", "hunter2:", ":hunter2"])
def test_half_a_credential_is_refused(key: str, text: str) -> None:
    with pytest.raises(ValueError, match="give the") as failure:
        providers_of(Kind.DNS)[key].parse(text)
    assert "hunter2" not in str(failure.value)


class TestGandi:
    def test_what_is_sent(self) -> None:
        with at("gandi") as (provider, state, vendors):
            state.add("example.com", NAME, "TXT", "somebody else's", ttl=1800)
            zone = provider.find_zone(NAME)
            provider.ensure_record(zone, NAME, "TXT", 'say "hi"')
            provider.remove_record(zone, NAME, "TXT", "somebody else's")
            provider.remove_record(zone, NAME, "TXT", 'say "hi"')
            provider.ensure_record(zone, "example.com", "A", "192.0.2.7", ttl=3600)
            provider.ensure_record(zone, "www.example.com", "CNAME", "target.example.net")
        path = "/v5/livedns/domains/example.com/records"
        hi = r'"say \"hi\""'
        assert sent(vendors[0]) == [
            (
                "PUT",
                f"{path}/_acme-challenge.www/TXT",
                {"rrset_ttl": 1800, "rrset_values": ['"somebody else\'s"', hi]},
            ),
            ("PUT", f"{path}/_acme-challenge.www/TXT", {"rrset_ttl": 1800, "rrset_values": [hi]}),
            ("DELETE", f"{path}/_acme-challenge.www/TXT", None),
            ("PUT", f"{path}/@/A", {"rrset_ttl": 3600, "rrset_values": ["192.0.2.7"]}),
            ("PUT", f"{path}/www/CNAME", {"rrset_ttl": 300, "rrset_values": ["target.example.net."]}),
        ]

    def test_the_end_of_a_token_is_known(self) -> None:
        with at("gandi") as (provider, *_):
            findings = provider.verify()
        assert findings.expires_at is not None
        assert abs(findings.expires_at - datetime.now(UTC) - timedelta(days=1)) < timedelta(minutes=1)

    def test_more_scopes_than_two_are_more_than_needed(self) -> None:
        with at("gandi") as (provider, _, vendors):
            vendors[1].on("GET", "/tokeninfo", (200, gandi.token("domain:view", "domain:tech", "billing:view")))
            findings = provider.verify()
        assert verdict(findings, READ) == Verdict.EXCESS
        assert "billing:view" in findings.checks[0].evidence
        assert verdict(findings, EDIT) == Verdict.GRANTED

    def test_a_token_that_nobody_knows(self) -> None:
        """Its documentation says that the answer to one is 403, as to one that may not."""
        with at("gandi") as (provider, _, vendors):
            vendors[1].on("GET", "/tokeninfo", (403, gandi.DENIED))
            with pytest.raises(InvalidCredential, match="403") as failure:
                provider.verify()
        assert "API key" in failure.value.hint

    def test_an_old_key_signs_differently_and_opens_too_much(self, monkeypatch: pytest.MonkeyPatch) -> None:
        key = f"Apikey {gandi.VALUES['token']}"
        monkeypatch.setattr(gandi, "is_signed", lambda call: call.headers["Authorization"] == key)
        with at("gandi", scheme="api_key") as (provider, _, vendors):
            assert verdict(provider.verify(), READ) == Verdict.EXCESS
            assert vendors[1].calls == []


class TestDesec:
    def test_what_is_sent(self) -> None:
        with at("desec") as (provider, _, vendors):
            zone = provider.find_zone(NAME)
            provider.ensure_record(zone, NAME, "TXT", "one")
            provider.remove_record(zone, NAME, "TXT", "one")
            provider.ensure_record(zone, "example.com", "TXT", "x" * 300)
            provider.ensure_record(zone, "www.example.com", "CNAME", "target.example.net", ttl=7200)
        challenge = {"subname": "_acme-challenge.www", "type": "TXT", "ttl": 3600}
        changes = [
            {**challenge, "records": ['"one"']},
            {**challenge, "records": []},
            {"subname": "", "type": "TXT", "ttl": 3600, "records": [f'"{"x" * 255}" "{"x" * 45}"']},
            {"subname": "www", "type": "CNAME", "ttl": 7200, "records": ["target.example.net."]},
        ]
        assert sent(vendors[0]) == [("PATCH", "/api/v1/domains/example.com/rrsets/", [change]) for change in changes]

    def test_neighbours_are_written_back_as_they_were(self) -> None:
        rows = [r'"caf\195\169"', '"two" "strings"', r'"\255"']
        with at("desec") as (provider, _, vendors):
            record_set = {"subname": "www", "type": "TXT", "ttl": 3600, "records": rows}
            vendors[0].on("GET", "/domains/example.com/rrsets/www/TXT/", (200, record_set))
            provider.ensure_record(provider.find_zone("example.com"), "www.example.com", "TXT", "one")
            assert vendors[0].calls[-1].json[0]["records"] == [*rows, '"one"']

    def test_what_it_says_of_a_mistake_is_shown(self) -> None:
        with at("desec") as (provider, _, vendors):
            complaint = [{"ttl": ["Ensure this value is greater than or equal to 3600."]}]
            vendors[0].on("PATCH", ".*", (400, complaint))
            with pytest.raises(ProviderError, match="400: ttl: Ensure this value is"):
                provider.ensure_record(provider.find_zone(NAME), NAME, "TXT", "one")

    def test_it_is_asked_again_after_the_pause_that_it_wants(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pauses: list[float] = []
        monkeypatch.setattr("deploynix.http.time.sleep", pauses.append)
        throttled = 429, {"detail": "Request was throttled."}, {"Retry-After": "2"}
        with at("desec") as (provider, _, vendors):
            vendors[0].on("PATCH", ".*", in_turn(throttled, (200, [])))
            provider.ensure_record(provider.find_zone(NAME), NAME, "TXT", "one")
        assert pauses == [2.0]

    def test_a_token_that_makes_tokens_is_more_than_needed(self) -> None:
        with at("desec") as (provider, _, vendors):
            vendors[0].on("GET", "/auth/tokens/", (200, []))
            findings = provider.verify()
        assert verdict(findings, READ) == Verdict.EXCESS
        assert "perm_manage_tokens" in findings.checks[0].fix


class TestHetzner:
    def test_only_our_value_is_sent(self) -> None:
        with at("hetzner") as (provider, state, vendors):
            state.add("example.com", NAME, "TXT", "somebody else's", ttl=7200)
            zone = provider.find_zone(NAME)
            provider.ensure_record(zone, NAME, "TXT", "one")
            provider.remove_record(zone, NAME, "TXT", "one")
            provider.ensure_record(zone, "example.com", "TXT", "at the apex", ttl=30)
        path = "/v1/zones/42/rrsets/_acme-challenge.www/TXT/actions"
        apex = {"records": [{"value": '"at the apex"'}], "ttl": 60}
        assert sent(vendors[0]) == [
            ("POST", f"{path}/add_records", {"records": [{"value": '"one"'}]}),
            ("POST", f"{path}/remove_records", {"records": [{"value": '"one"'}]}),
            ("POST", "/v1/zones/42/rrsets/@/TXT/actions/add_records", apex),
        ]

    def test_it_waits_until_the_zone_has_changed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("providers.dns.hetzner.PAUSE", 0.0)
        answers = [(200, hetzner.action(status)) for status in ("running", "running", "success")]
        with at("hetzner") as (provider, _, vendors):
            vendors[0].on("GET", "/zones/actions/1", in_turn(*answers))
            provider.ensure_record(provider.find_zone(NAME), NAME, "TXT", "one")
            assert [call.path for call in vendors[0].calls[-3:]] == ["/v1/zones/actions/1"] * 3

    def test_a_change_that_fails_or_never_ends(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("providers.dns.hetzner.PAUSE", 0.0)
        failed = hetzner.action("error", {"code": "action_failed", "message": "Action failed"})
        with at("hetzner") as (provider, _, vendors):
            zone = provider.find_zone(NAME)
            vendors[0].on("GET", "/zones/actions/1", (200, failed))
            with pytest.raises(ProviderError, match="could not change the zone: Action failed"):
                provider.ensure_record(zone, NAME, "TXT", "one")
            vendors[0].on("POST", ".*/add_records", (201, hetzner.action("running")))
            vendors[0].on("GET", "/zones/actions/1", (200, hetzner.action("running")))
            with pytest.raises(Unavailable, match="has not changed"):
                provider.ensure_record(zone, NAME, "TXT", "two")

    def test_a_project_with_servers_is_more_than_needed(self) -> None:
        with at("hetzner") as (provider, _, vendors):
            vendors[0].on("GET", "/servers", (200, {"servers": [{"id": 7}], "meta": hetzner.meta(1, None)}))
            findings = provider.verify()
        assert verdict(findings, READ) == Verdict.EXCESS
        assert "project for DNS alone" in findings.checks[0].fix


class TestPorkbun:
    def test_what_is_sent(self) -> None:
        with at("porkbun") as (provider, state, vendors):
            zone = provider.find_zone("example.com")
            provider.ensure_record(zone, NAME, "TXT", "one")
            (row,) = state.found("example.com", NAME)
            provider.remove_record(zone, NAME, "TXT", "one")
            provider.ensure_record(zone, "example.com", "A", "192.0.2.7", ttl=3600)
        keys = {"apikey": porkbun.VALUES["api_key"], "secretapikey": porkbun.VALUES["secret_api_key"]}
        challenge = {"name": "_acme-challenge.www", "type": "TXT", "content": "one", "ttl": "600"}
        apex = {"name": "", "type": "A", "content": "192.0.2.7", "ttl": "3600"}
        found = "/dns/retrieveByNameType/example.com"
        expected: list[tuple[str, dict[str, str]]] = [
            (f"{found}/NS", {}),
            (f"{found}/TXT/_acme-challenge.www", {}),
            ("/dns/create/example.com", challenge),
            (f"{found}/TXT/_acme-challenge.www", {}),
            (f"/dns/delete/example.com/{row.id}", {}),
            (f"{found}/A", {}),
            ("/dns/create/example.com", apex),
        ]
        assert sent(vendors[0]) == [("POST", f"/api/json/v3{path}", {**keys, **body}) for path, body in expected]

    def test_the_switch_of_a_domain_is_named(self) -> None:
        with at("porkbun") as (provider, state, _):
            state.denied = {EDIT}
            with pytest.raises(MissingPermission, match="opted in") as failure:
                provider.find_zone(NAME)
            assert failure.value.hint == "Switch on API Access in the details of the domain."

    def test_keys_that_nobody_knows(self) -> None:
        refusal = {"status": "ERROR", "code": "INVALID_API_KEYS_002", "message": "Invalid API key. (002)"}
        with at("porkbun") as (provider, _, vendors):
            vendors[0].on("POST", ".*", (400, refusal))
            with pytest.raises(InvalidCredential, match=r"Invalid API key\. \(002\)"):
                provider.verify()

    @pytest.mark.parametrize("status", [200, 400])
    def test_an_error_is_one_whatever_its_status(self, status: int) -> None:
        with at("porkbun") as (provider, _, vendors):
            zone = provider.find_zone(NAME)
            vendors[0].on("POST", "/dns/create/.*", (status, {"status": "ERROR", "message": "The zone is full."}))
            with pytest.raises(ProviderError, match="The zone is full"):
                provider.ensure_record(zone, NAME, "TXT", "one")

    def test_calls_that_come_too_fast_are_made_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pauses: list[float] = []
        monkeypatch.setattr("providers.dns.porkbun.time.sleep", pauses.append)
        with at("porkbun") as (provider, _, vendors):
            too_fast = 503, "<html><h1>503 Service Temporarily Unavailable</h1></html>"
            vendors[0].on("POST", "/domain/listAll", in_turn(too_fast, (200, {"status": "SUCCESS", "domains": []})))
            assert [*provider.zones()] == []
        assert pauses == [1.0]

    def test_every_page_is_read(self) -> None:
        with at("porkbun") as (provider, state, _):
            state.zones = {f"zone{number}.example.net": "" for number in range(2000)}
            assert {zone.name for zone in provider.zones()} == set(state.zones)

    def test_the_domain_to_check_with_can_be_named(self) -> None:
        with at("porkbun", zone="shop.example.com") as (provider, _, vendors):
            assert "_deploynix-probe.shop.example.com" in provider.verify().checks[1].evidence
            assert not any(call.path.endswith("/listAll") for call in vendors[0].calls)

    def test_a_record_that_somebody_else_removed_is_no_error(self) -> None:
        with at("porkbun") as (provider, state, vendors):
            state.add("example.com", NAME, "TXT", "one")
            state.remove = lambda zone, row_id: False  # type: ignore[method-assign]
            provider.remove_record(provider.find_zone(NAME), NAME, "TXT", "one")
            assert "/dns/delete/" in vendors[0].calls[-1].path


class TestNameCom:
    def test_the_same_name_in_another_type_or_place_is_left_alone(self) -> None:
        with at("namecom") as (provider, state, _):
            state.add("example.com", NAME, "A", "one")
            state.add("example.com", f"deeper.{NAME}", "TXT", "one")
            zone = provider.find_zone(NAME)
            provider.remove_record(zone, NAME, "TXT", "one")
            assert provider.records(zone, NAME, "TXT") == []
            assert len(state.found("example.com")) == 2

    def test_two_step_verification_is_hinted_at(self) -> None:
        with at("namecom") as (provider, state, _):
            state.denied = {EDIT}
            assert "two-step verification" in provider.verify().checks[1].fix


class TestGoDaddy:
    def test_a_value_is_added_to_what_is_there(self) -> None:
        with at("godaddy") as (provider, state, vendors):
            state.add("example.com", NAME, "TXT", "somebody else's", ttl=7200)
            zone = provider.find_zone(NAME)
            provider.ensure_record(zone, NAME, "TXT", "one")
            provider.remove_record(zone, NAME, "TXT", "one")
            provider.remove_record(zone, NAME, "TXT", "somebody else's")
        path = "/v1/domains/example.com/records"
        added = {"type": "TXT", "name": "_acme-challenge.www", "data": "one", "ttl": 600}
        assert sent(vendors[0]) == [
            ("PATCH", path, [added]),
            ("PUT", f"{path}/TXT/_acme-challenge.www", [{"data": "somebody else's", "ttl": 7200}]),
            ("DELETE", f"{path}/TXT/_acme-challenge.www", None),
        ]

    def test_an_alias_of_the_apex_is_known_by_its_name(self) -> None:
        with at("godaddy") as (provider, state, vendors):
            state.add("example.com", "www.example.com", "CNAME", "@")
            zone = provider.find_zone("www.example.com")
            provider.ensure_record(zone, "www.example.com", "CNAME", "example.com")
            assert sent(vendors[0]) == []

    def test_the_tier_of_the_account_is_hinted_at(self) -> None:
        with at("godaddy") as (provider, state, _):
            state.denied = {READ}
            assert "10 or more domains" in provider.verify().checks[0].fix

    def test_it_says_how_long_to_wait(self) -> None:
        with at("godaddy") as (provider, _, vendors):
            limited = {"code": "TOO_MANY_REQUESTS", "message": "Too many requests", "retryAfterSec": 30}
            vendors[0].on("GET", "/domains", (429, limited, {"Retry-After": "11"}))
            with pytest.raises(RateLimited) as failure:
                provider.verify()
        assert failure.value.retry_after == 30

    def test_a_whole_zone_is_read_by_pages(self) -> None:
        with at("godaddy") as (provider, state, vendors):
            for number in range(1100):
                state.add("example.com", f"host-{number}.example.com", "TXT", "there")
            found = list(provider.all_records(provider.find_zone("example.com")))
            assert len({record.name for record in found}) == len(found) == 1100
            assert [call.query.get("offset") for call in vendors[0].calls[1:]] == [None, "2", "3"]

    def test_every_page_is_read(self) -> None:
        with at("godaddy") as (provider, state, _):
            state.zones = {f"zone{number}.example.net": "" for number in range(2000)}
            assert {zone.name for zone in provider.zones()} == set(state.zones)
