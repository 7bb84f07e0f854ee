"""The pages that tell what a token is used for and what it could do."""

import html as markup
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from audit.models import AuditEvent
from deploynix.actor import Actor
from deploynix.api.routes import api_routes
from organizations.models import Organization, Role
from tests import factories
from tests.apiclient import ApiClient
from tests.tokens.clock import Clock
from tests.tokens.places import write_places
from tests.tokens.test_usage import note
from tokens import usage
from tokens.actions import create_access_token, create_api_key, create_token, remove_unused, revoke_token
from tokens.models import Token, TokenAbility, TokenDay
from tokens.simulator import simulate
from tokens.unused import removable_words, unused_abilities
from tokens.usage import noting

pytestmark = pytest.mark.django_db
FOREIGN = "01JAZ5QHVW3K9T6R8M2N4P7XYC"


@pytest.fixture(autouse=True)
def _empty_log() -> None:
    noting.uses.take()
    noting.failures.take()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def read(client: Client, token: Token, tab: str = "use", query: str = "") -> str:
    response = client.get(f"/settings/tokens/{token.pk}/{tab}{query}")
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", markup.unescape(response.content.decode())).split())


def personal(owner: Actor, *abilities: str) -> Token:
    return Token.objects.get(pk=create_token(owner, name="CI", abilities=list(abilities) or None)[0].pk)


def key(owner: Actor, *permissions: str) -> Token:
    return Token.objects.get(pk=create_api_key(owner, name="Monitoring", permissions=list(permissions))[0].pk)


def aged(token: Token, *used: str) -> Token:
    """Made two months ago, and used for these abilities yesterday."""
    now = timezone.now()
    Token.objects.filter(pk=token.pk).update(created_at=now - timedelta(days=60))
    for ability in used:
        TokenAbility.objects.create(token=token, ability=ability, count=1, last_at=now - timedelta(days=1))
    token.refresh_from_db()
    return token


def test_the_page_tells_who_used_a_token_for_what(
    owner_client: Client, owner: Actor, clock: Clock, tmp_path: Path, settings: Settings
) -> None:
    write_places(tmp_path / "places.mmdb", {"203.0.113.0/24": "DE"})
    settings.PLACES_DATABASE = str(tmp_path / "places.mmdb")
    token = personal(owner, "site:read")
    for _ in range(3):
        note(token, agent="deployer/2")
    usage.note_failure(token.pk, "ip_restricted", "198.51.100.7")
    usage.write_noted()
    clock.advance(hours=2)
    text = read(owner_client, token)
    assert "3 requests in 30 days" in text
    assert "203.0.113.9 DE deployer/2 GET /api/v1/sites 3 2 hours ago" in text
    assert "site:read 3 2 hours ago" in text
    assert "Address not allowed ip_restricted 198.51.100.7 1 2 hours ago" in text


def test_the_chart_shows_thirty_days(owner_client: Client, owner: Actor) -> None:
    token, today = personal(owner), timezone.now().date()
    for back, count in ((0, 4), (29, 5), (30, 100)):
        TokenDay.objects.create(token=token, day=today - timedelta(days=back), count=count)
    assert "9 requests in 30 days" in read(owner_client, token)


def test_a_new_token_says_that_nothing_is_known_yet(owner_client: Client, owner: Actor) -> None:
    text = read(owner_client, personal(owner))
    for words in ("Not used yet", "No ability used yet", "Every request with it was let in", "0 requests"):
        assert words in text
    assert "Unused for 30 days" not in text, "it is too young to tell"


@pytest.mark.parametrize("tab", ["use", "simulator"])
def test_who_sees_the_pages(
    organization: Organization, owner: Actor, member: Actor, member_client: Client, outsider_client: Client, tab: str
) -> None:
    mine, own, shared = personal(owner), personal(member), key(owner, "servers:read")
    admin = factories.signed_in(factories.actor(organization, Role.ADMIN))
    assert [admin.get(f"/settings/tokens/{token.pk}/{tab}").status_code for token in (mine, own, shared)] == [200] * 3
    assert member_client.get(f"/settings/tokens/{own.pk}/{tab}").status_code == 200
    assert member_client.get(f"/settings/tokens/{mine.pk}/{tab}").status_code == 404
    assert member_client.get(f"/settings/tokens/{shared.pk}/{tab}").status_code == 404
    foreign = [outsider_client.get(f"/settings/tokens/{pk}/{tab}").status_code for pk in (mine.pk, FOREIGN)]
    assert foreign == [404, 404]
    assert Client().get(f"/settings/tokens/{mine.pk}/{tab}").status_code == 302


def test_a_revoked_token_can_still_be_looked_into(owner_client: Client, owner: Actor) -> None:
    token = personal(owner)
    note(token)
    usage.write_noted()
    revoke_token(owner, token=token)
    text = read(owner_client, token)
    assert "203.0.113.9" in text
    assert "Revoked" in text
    assert "Overview" not in text, "that page is gone"


def test_the_page_asks_as_much_for_many_rows_as_for_few(
    owner_client: Client, owner: Actor, clock: Clock, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    token = personal(owner)
    for number in range(60):
        note(token, ip=f"198.51.{number}.9", agent=f"agent/{number}")
        usage.note_failure(token.pk, "expired_token", f"198.51.{number}.9")
    usage.write_noted()
    with django_assert_max_num_queries(16):
        owner_client.get(f"/settings/tokens/{token.pk}/use")
    with django_assert_max_num_queries(10):
        owner_client.get(f"/settings/tokens/{token.pk}/simulator")


def test_what_a_personal_token_was_not_used_for_goes_by_a_button(owner_client: Client, owner: Actor) -> None:
    token = aged(personal(owner, "site:read", "site:deploy", "server:read"), "site:read")
    assert "Unused for 30 days" in read(owner_client, token)
    response = owner_client.post(f"/settings/tokens/{token.pk}/remove-unused", follow=True)
    assert "CI no longer carries server:read, site:deploy." in response.content.decode()
    token.refresh_from_db()
    assert token.grants == ["site:read"]
    event = AuditEvent.objects.get(event="token.narrowed")
    assert event.changes == {"grants": [["server:read", "site:deploy", "site:read"], ["site:read"]]}
    assert "Unused for 30 days" not in read(owner_client, token)


def test_of_a_key_only_whole_permissions_go(owner_client: Client, owner: Actor) -> None:
    token = aged(key(owner, "servers:write", "instances:read", "backups:*"), "server:create")
    assert {"server:update", "site:read"} <= unused_abilities(token)
    assert removable_words(token, unused_abilities(token)) in (["instances:read", "backups:*"], ["instances:read"])
    assert "Only whole permissions can go" in read(owner_client, token)
    owner_client.post(f"/settings/tokens/{token.pk}/remove-unused")
    token.refresh_from_db()
    assert "servers:write" in token.grants
    assert "instances:read" not in token.grants
    assert AuditEvent.objects.filter(event="token.updated", target_id=token.pk).exists()


def test_an_access_token_gets_advice_alone(owner_client: Client, owner: Actor) -> None:
    made, _ = create_access_token(owner, name="Pipeline", scopes=["basic_deployment", "run_scripts"])
    token = aged(Token.objects.get(pk=made.pk), "site:deploy")
    assert "Access tokens never change" in read(owner_client, token)
    owner_client.post(f"/settings/tokens/{token.pk}/remove-unused")
    token.refresh_from_db()
    assert token.grants == ["basic_deployment", "run_scripts"]


def test_a_token_that_is_not_used_at_all_is_not_emptied(owner_client: Client, owner: Actor) -> None:
    token = aged(personal(owner, "site:read"))
    assert "delete it" in read(owner_client, token)
    response = owner_client.post(f"/settings/tokens/{token.pk}/remove-unused", follow=True)
    assert "Revoke it instead" in response.content.decode()
    token.refresh_from_db()
    assert token.grants == ["site:read"]


def test_who_may_remove_what_is_unused(
    organization: Organization, owner: Actor, member: Actor, member_client: Client, outsider_client: Client
) -> None:
    token = aged(personal(owner, "site:read", "server:read"), "site:read")
    for client in (member_client, outsider_client):
        assert client.post(f"/settings/tokens/{token.pk}/remove-unused").status_code == 404
    own = aged(personal(member, "site:read", "server:read"), "site:read")
    assert member_client.post(f"/settings/tokens/{own.pk}/remove-unused").status_code == 302
    own.refresh_from_db()
    assert own.grants == ["site:read"]
    admin = factories.actor(organization, Role.ADMIN)
    assert remove_unused(admin, token=token) == ["server:read"]


def test_what_was_used_within_thirty_days_counts_as_used(owner: Actor) -> None:
    token = aged(personal(owner, "site:read", "server:read"), "site:read", "server:read")
    TokenAbility.objects.filter(ability="server:read").update(last_at=timezone.now() - timedelta(days=31))
    assert unused_abilities(token) == {"server:read"}


def test_what_the_api_never_asks_for_by_itself_is_not_called_unused(owner: Actor) -> None:
    asked_for = {route.ability for route in api_routes()}
    token = aged(personal(owner))
    assert unused_abilities(token) <= asked_for


def answers(token: Token) -> dict[tuple[str, str], tuple[bool, str]]:
    return {
        (verdict.route.method, verdict.route.path): (verdict.allowed, verdict.reason) for verdict in simulate(token)
    }


SERVERS, USER, LOGIN = ("GET", "/api/v1/servers"), ("GET", "/api/v1/user"), ("POST", "/api/v1/login")


def test_the_simulator_says_why(owner: Actor, member: Actor) -> None:
    seen = answers(personal(owner, "site:read"))
    assert seen[LOGIN] == (True, "Needs no token.")
    assert seen[USER] == (True, "Any token will do.")
    assert seen["GET", "/api/v1/sites"] == (True, "site:read opens it.")
    allowed, reason = seen[SERVERS]
    assert not allowed
    assert reason.startswith("Needs server:read.")
    allowed, reason = answers(key(owner, "instances:*"))[SERVERS]
    assert not allowed
    assert "the permission servers:read opens it. Change the key" in reason
    allowed, reason = answers(personal(member))["POST", "/api/v1/servers"]
    assert not allowed
    assert "the role of its maker, viewer, does not include" in reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"expires_at": "2020-01-01T00:00:00Z"}, "The token has expired."),
        ({"is_active": False}, "The key is switched off."),
        ({"revoked_at": "2020-01-01T00:00:00Z"}, "The token is revoked."),
    ],
)
def test_a_token_that_opens_nothing_is_denied_everywhere(owner: Actor, change: dict[str, object], reason: str) -> None:
    token = key(owner, "servers:read")
    Token.objects.update(**change)
    token.refresh_from_db()
    verdicts = simulate(token)
    assert {verdict.reason for verdict in verdicts if not verdict.allowed} == {reason}
    assert {verdict.reason for verdict in verdicts if verdict.allowed} == {"Needs no token."}


def test_the_simulator_agrees_with_the_api(owner: Actor, settings: Settings) -> None:
    """What it denies is 401 or 403; what it allows is anything else."""
    settings.RATE_LIMIT_GENERAL = settings.RATE_LIMIT_AUTH = 10_000
    made, text = create_api_key(owner, name="both", permissions=["servers:*", "teams:read"], rate_limit="unlimited")
    api = ApiClient(text)
    for (method, path), (allowed, reason) in answers(Token.objects.get(pk=made.pk)).items():
        if method != "GET":
            continue
        status = api.get(re.sub(r"\{[^}]+\}", FOREIGN, path.removeprefix("/api/v1"))).status_code
        assert (status not in (401, 403)) == allowed, f"{path}: {status}, {reason}"


def test_the_simulator_lists_every_operation_once(owner: Actor) -> None:
    listed = list(answers(personal(owner)))
    assert listed == sorted(listed, key=lambda pair: (pair[1], pair[0]))
    assert {("GET", "/api/v1/servers/{server}"), ("POST", "/api/v1/tokens/leaked")} <= set(listed)
    assert len(listed) == len(api_routes())


def test_the_simulator_is_searched_and_filtered(owner_client: Client, owner: Actor) -> None:
    token = personal(owner, "site:read")
    denied = read(owner_client, token, "simulator", "?answer=denied")
    assert "GET /api/v1/servers " in denied
    assert "GET /api/v1/sites " not in denied
    found = read(owner_client, token, "simulator", "?answer=allowed&q=SITE:READ")
    assert "GET /api/v1/sites " in found
    assert "GET /api/v1/user " not in found
    assert "No operation matches" in read(owner_client, token, "simulator", "?q=nothing-like-this")


def test_the_simulator_names_the_conditions(owner_client: Client, owner: Actor, organization: Organization) -> None:
    server = factories.server(organization)
    made, _ = create_api_key(
        owner,
        name="narrow",
        permissions=["servers:read"],
        environment="test",
        ip_whitelist=["203.0.113.0/24"],
        servers=[server.pk],
    )
    text = read(owner_client, Token.objects.get(pk=made.pk), "simulator")
    for words in ("It must come from 203.0.113.0/24.", "only the servers and sites", "What it does is undone"):
        assert words in text
