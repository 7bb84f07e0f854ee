"""Settings > API Tokens."""

import re
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from deploynix.actor import Actor
from organizations.models import Organization
from tests import factories
from tests.apiclient import ApiClient
from tokens.actions import create_token
from tokens.models import Token

pytestmark = pytest.mark.django_db
PAGE = "/settings/tokens"
FORM = {"name": "CI pipeline", "abilities": ["site:deploy", "site:read"]}


def page(client: Client, path: str = PAGE) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def make(client: Client, **fields: object) -> str:
    """Fills the form in, and returns the page that follows."""
    response = client.post(f"{PAGE}/new", FORM | fields)
    assert response.status_code == 302, response.content.decode()
    assert response["Location"] == PAGE
    return page(client)


def secret_in(html: str) -> str | None:
    found = re.search(r"dnx_[0-9A-Za-z]{16}_[0-9A-Za-z]{36}", html)
    return found[0] if found else None


def test_a_new_token_is_shown_exactly_once_with_the_header_and_a_curl(owner_client: Client) -> None:
    html = make(owner_client)
    text = secret_in(html)
    assert text
    assert f"Authorization: Bearer {text}" in html
    assert "curl http://testserver/api/v1/auth/test" in html
    response = ApiClient(text).get("/user")
    assert response.json()["data"]["abilities"] == FORM["abilities"]
    assert secret_in(page(owner_client)) is None


def test_until_it_is_shown_the_token_is_encrypted_at_rest(owner_client: Client) -> None:
    owner_client.post(f"{PAGE}/new", FORM)
    stored = [str(session.get_decoded()) for session in Session.objects.all()]
    text = secret_in(page(owner_client))
    assert text
    assert all(text not in session for session in stored)


def test_the_page_is_not_kept_by_browsers_or_proxies(owner_client: Client) -> None:
    assert "no-store" in owner_client.get(PAGE)["Cache-Control"]


def test_everything_my_role_may_do(member_client: Client, member: Actor) -> None:
    make(member_client, everything="on", abilities=[])
    assert Token.objects.get().grants == sorted(member.abilities)


def test_the_list_shows_what_one_needs_to_tell_tokens_apart(owner_client: Client, owner: Actor) -> None:
    token, _ = create_token(owner, name="Deploys", abilities=["site:deploy"])
    Token.objects.update(last_used_at=timezone.now() - timedelta(hours=2), last_used_ip="203.0.113.9")
    html = page(owner_client)
    for text in ("Deploys", f"dnx_{token.public_id}", "site:deploy", "just now", "2 hours ago", "203.0.113.9", "Never"):
        assert text in html


def test_an_expired_token_says_so(owner_client: Client, owner: Actor) -> None:
    create_token(owner, name="Old")
    Token.objects.update(expires_at=timezone.now() - timedelta(days=1))
    assert "expired" in page(owner_client).lower()


def test_a_last_day(owner_client: Client) -> None:
    day = (timezone.now() + timedelta(days=30)).date()
    make(owner_client, expires_at=day.isoformat())
    token = Token.objects.get()
    assert token.expires_at is not None
    assert token.expires_at.date() == day


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": ""}, "This field is required."),
        ({"abilities": []}, "Choose at least one ability"),
        ({"abilities": ["site:explode"]}, "Select a valid choice"),
        ({"expires_at": "2020-01-01"}, "must be a date in the future"),
    ],
)
def test_a_form_that_is_refused_makes_nothing(fields: dict[str, object], message: str, owner_client: Client) -> None:
    response = owner_client.post(f"{PAGE}/new", FORM | fields)
    assert response.status_code == 422
    assert message in response.content.decode()
    assert not Token.objects.exists()


def test_a_person_is_offered_and_given_no_more_than_the_role(member_client: Client) -> None:
    html = page(member_client, f"{PAGE}/new")
    assert "site:read" in html
    assert "site:deploy" not in html
    assert member_client.post(f"{PAGE}/new", FORM).status_code == 422
    assert not Token.objects.exists()


def test_revoking_takes_effect_with_the_next_request(owner_client: Client, owner: Actor) -> None:
    token, text = create_token(owner, name="Deploys")
    assert f"{PAGE}/{token.pk}/revoke" in page(owner_client)
    assert "Type <strong" in page(owner_client, f"{PAGE}/{token.pk}/revoke")
    response = owner_client.post(f"{PAGE}/{token.pk}/revoke", {"confirm": "Deploys"}, follow=True)
    html = response.content.decode()
    assert "The token Deploys is revoked." in html
    assert f"dnx_{token.public_id}" not in html
    assert ApiClient(text).get("/user").status_code == 401
    assert owner_client.get(f"{PAGE}/{token.pk}").status_code == 404


def test_an_owner_sees_and_revokes_everybodys_tokens(owner_client: Client, member: Actor) -> None:
    token, text = create_token(member, name="The viewer's")
    html = page(owner_client)
    assert "viewer@acme.test" in html
    owner_client.post(f"{PAGE}/{token.pk}/revoke", {"confirm": token.name})
    assert ApiClient(text).get("/user").status_code == 401


def test_a_member_sees_their_own_tokens_only(member_client: Client, member: Actor, owner: Actor) -> None:
    foreign, _ = create_token(owner, name="Of the owner")
    create_token(member, name="Of the viewer")
    html = page(member_client)
    assert "Of the viewer" in html
    assert "Of the owner" not in html
    assert member_client.get(f"{PAGE}/{foreign.pk}").status_code == 404
    assert member_client.post(f"{PAGE}/{foreign.pk}/revoke", {"confirm": foreign.name}).status_code == 404
    foreign.refresh_from_db()
    assert foreign.revoked_at is None


def test_an_outsider_sees_nothing(outsider_client: Client, owner: Actor) -> None:
    token, _ = create_token(owner, name="Of the owner")
    assert "Of the owner" not in page(outsider_client)
    assert outsider_client.post(f"{PAGE}/{token.pk}/revoke", {"confirm": token.name}).status_code == 404


def test_somebody_may_see_but_not_revoke(owner: Actor) -> None:
    """Nobody's role is so today; the page follows the abilities, not the roles."""
    admin = factories.membership(owner.organization, "admin", "admin@acme.test")
    token, _ = create_token(owner, name="Of the owner")
    client = factories.signed_in(admin.as_actor())
    assert client.get(f"{PAGE}/{token.pk}").status_code == 200


def test_without_api_access_the_upgrade_is_offered_instead_of_the_form(owner_client: Client, owner: Actor) -> None:
    Organization.objects.update(plan="free")
    for path in (PAGE, f"{PAGE}/new"):
        html = page(owner_client, path)
        assert "Upgrade to Professional or Enterprise" in html
        assert 'name="abilities"' not in html
    assert owner_client.post(f"{PAGE}/new", FORM).status_code == 422
    assert not Token.objects.exists()


def test_the_way_in_is_by_signing_in(client: Client, owner: Actor) -> None:
    response = client.get(PAGE)
    assert response.status_code == 302
    assert "/accounts/login" in response["Location"]


def test_pages_hold_no_inline_script_or_style(owner_client: Client, owner: Actor) -> None:
    token, _ = create_token(owner, name="x")
    for path in (PAGE, f"{PAGE}/new", f"{PAGE}/{token.pk}"):
        html = page(owner_client, path)
        assert "style=" not in html
        assert "hx-on" not in html
        assert not re.search(r"<script(?![^>]*\bsrc=)", html)
