"""Settings > Access Tokens."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from deploynix.actor import Actor
from organizations.models import Organization
from tests import factories
from tests.apiclient import ApiClient
from tests.tokens.test_pages import page
from tokens.actions import create_access_token
from tokens.models import AccessToken

pytestmark = pytest.mark.django_db
PAGE = "/settings/access-tokens"
PASSPHRASE = "correct horse battery"
FORM: dict[str, Any] = {"name": "Deployments", "scopes": ["basic_deployment", "modify_env"]}


def make(client: Client, **fields: object) -> str:
    """Fills the form in, and returns the page that follows."""
    response = client.post(f"{PAGE}/new", FORM | fields)
    assert response.status_code == 302, response.content.decode()
    assert response["Location"] == PAGE
    return page(client, PAGE)


def secrets_in(html: str) -> set[str]:
    return set(re.findall(r"workspace_token_[0-9A-Za-z]{16}_[0-9A-Za-z]{36}", html))


def token_of(owner: Actor, **fields: Any) -> AccessToken:
    return create_access_token(owner, **{"name": "Deployments", "scopes": ["basic_deployment"]} | fields)[0]


def detail(token: AccessToken, part: str = "") -> str:
    return f"/settings/tokens/{token.pk}{part}"


def test_a_new_token_is_shown_exactly_once_and_works(owner_client: Client) -> None:
    html = make(owner_client)
    (text,) = secrets_in(html)
    assert "Your new access token" in html
    assert "X-Token-Passphrase" not in html
    assert ApiClient(text).get("/auth/test").json()["permissions"] == FORM["scopes"]
    assert not secrets_in(page(owner_client, PAGE))


def test_with_a_passphrase_the_command_has_a_place_for_it(owner_client: Client) -> None:
    html = make(owner_client, passphrase=PASSPHRASE, passphrase_again=PASSPHRASE)
    (text,) = secrets_in(html)
    assert "X-Token-Passphrase: YOUR_PASSPHRASE" in html
    assert PASSPHRASE not in html
    assert ApiClient(text).get("/auth/test").status_code == 401
    assert ApiClient(text).get("/auth/test", X_Token_Passphrase=PASSPHRASE).status_code == 200


def test_expiry_and_limit_to_resources(owner_client: Client, organization: Organization) -> None:
    server = factories.server(organization)
    make(owner_client, expires_at="2099-12-31", is_limited="on", servers=[server.pk])
    token = AccessToken.objects.get()
    assert token.expires_at is not None
    assert token.expires_at.year == 2099
    assert token.resources == {"servers": [server.pk], "sites": []}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "ab"}, "The name field must be at least 3 characters."),
        ({"name": "x" * 256}, "at most 255 characters"),
        ({"scopes": []}, "Choose at least one scope."),
        ({"scopes": ["everything"]}, "Select a valid choice."),
        ({"passphrase": "short", "passphrase_again": "short"}, "between 8 and 255 characters"),
        ({"passphrase": PASSPHRASE, "passphrase_again": "another one"}, "The two passphrases differ."),
        ({"passphrase": PASSPHRASE}, "The two passphrases differ."),
        ({"passphrase_again": PASSPHRASE}, "The two passphrases differ."),
        ({"expires_at": "2020-01-01"}, "must be a date in the future"),
    ],
)
def test_a_form_that_is_refused_says_why_and_makes_nothing(
    fields: dict[str, object], message: str, owner_client: Client
) -> None:
    response = owner_client.post(f"{PAGE}/new", FORM | fields)
    html = response.content.decode()
    assert response.status_code == 422
    assert message in html
    assert PASSPHRASE not in html
    assert not AccessToken.objects.exists()


def test_the_list_shows_what_one_needs_to_tell_tokens_apart(owner_client: Client, owner: Actor) -> None:
    token = token_of(owner, passphrase=PASSPHRASE)
    AccessToken.objects.update(last_used_at=timezone.now() - timedelta(hours=2), use_count=41)
    html = page(owner_client, PAGE)
    texts = ("Deployments", f"workspace_token_{token.public_id}", "basic_deployment", "Passphrase: yes", "Active")
    for text in (*texts, "just now", "Never", "2 hours ago", "41 uses"):
        assert text in html
    AccessToken.objects.update(passphrase="", expires_at=timezone.now() - timedelta(days=1))
    html = page(owner_client, PAGE)
    assert "Passphrase: no" in html
    assert "Expired" in html


def test_the_list_takes_as_many_queries_for_a_page_as_for_one_token(
    owner_client: Client, owner: Actor, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    token_of(owner)
    with django_assert_num_queries(5) as few:
        page(owner_client, PAGE)
    for number in range(30):
        token_of(owner, name=f"Token {number}")
    with django_assert_num_queries(len(few)):
        assert page(owner_client, PAGE).count("Actions for") == 25


def test_it_never_changes_and_its_page_says_so(owner_client: Client, owner: Actor) -> None:
    token = token_of(owner)
    html = page(owner_client, detail(token))
    assert "An access token never changes." in html
    assert "site:deploy" in html
    before = AccessToken.objects.values().get()
    for part in ("/edit", "/rotate", "/switch-off"):
        assert detail(token, part) not in html
        assert owner_client.post(detail(token, part), FORM | {"name": "Another"}).status_code == 404
    assert AccessToken.objects.values().get() == before


def test_deleting_demands_the_name_and_takes_effect_at_once(owner_client: Client, owner: Actor) -> None:
    token, text = create_access_token(owner, name="Deployments", scopes=["basic_deployment"])
    html = owner_client.post(detail(token, "/revoke"), {"confirm": "another"}, follow=True).content.decode()
    assert "Nothing was done." in html
    assert ApiClient(text).get("/auth/test").status_code == 200
    html = owner_client.post(detail(token, "/revoke"), {"confirm": "Deployments"}, follow=True).content.decode()
    assert "The access token Deployments is revoked." in html
    assert ApiClient(text).get("/auth/test").status_code == 401


def test_a_viewer_sees_and_makes_none(member_client: Client, owner: Actor) -> None:
    token = token_of(owner)
    for path in (PAGE, f"{PAGE}/new"):
        assert member_client.get(path).status_code == 403
    assert member_client.get(detail(token)).status_code == 404
    assert member_client.post(f"{PAGE}/new", FORM).status_code == 403
    assert member_client.post(detail(token, "/revoke"), {"confirm": token.name}).status_code == 404
    assert AccessToken.objects.get().revoked_at is None


def test_an_outsider_sees_nothing(outsider_client: Client, owner: Actor) -> None:
    token = token_of(owner)
    assert "Deployments" not in page(outsider_client, PAGE)
    assert outsider_client.get(detail(token)).status_code == 404
    assert outsider_client.post(detail(token, "/revoke"), {"confirm": token.name}).status_code == 404


def test_without_api_access_the_upgrade_is_offered_instead_of_the_form(owner_client: Client, owner: Actor) -> None:
    Organization.objects.update(plan="free")
    for path in (PAGE, f"{PAGE}/new"):
        html = page(owner_client, path)
        assert "Upgrade to Professional or Enterprise" in html
        assert 'name="scopes"' not in html
    assert owner_client.post(f"{PAGE}/new", FORM).status_code == 422
    assert not AccessToken.objects.exists()
