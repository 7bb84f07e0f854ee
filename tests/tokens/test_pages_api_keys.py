"""Settings > API Keys."""

import re
from datetime import UTC, datetime, time, timedelta
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
from tokens.actions import create_api_key, rotate_api_key
from tokens.models import ApiKey, Token

pytestmark = pytest.mark.django_db
PAGE = "/settings/api-keys"
FORM: dict[str, Any] = {
    "name": "Monitoring",
    "permissions": ["servers:read"],
    "environment": "live",
    "active": "on",
    "rate_limit": "standard",
    "grace_period": "7d",
}


def make(client: Client, **fields: object) -> str:
    """Fills the form in, and returns the page that follows."""
    response = client.post(f"{PAGE}/new", FORM | fields)
    assert response.status_code == 302, response.content.decode()
    assert response["Location"] == PAGE
    return page(client, PAGE)


def refused(client: Client, path: str, **fields: object) -> str:
    response = client.post(path, FORM | fields)
    assert response.status_code == 422
    return response.content.decode()


def secrets_in(html: str) -> set[str]:
    return set(re.findall(r"(?:dep_live_|dep_test_|dp_)[0-9A-Za-z]{16}_[0-9A-Za-z]{36}", html))


def key_of(owner: Actor, **fields: Any) -> ApiKey:
    return create_api_key(owner, **{"name": "Monitoring", "permissions": ["servers:read"]} | fields)[0]


def detail(key: Token, part: str = "") -> str:
    return f"/settings/tokens/{key.pk}{part}"


def test_a_new_key_is_shown_exactly_once_and_works(owner_client: Client) -> None:
    html = make(owner_client)
    (text,) = secrets_in(html)
    assert "Your new API key" in html
    assert f"Authorization: Bearer {text}" in html
    assert "curl http://testserver/api/v1/auth/test" in html
    assert ApiClient(text).get("/auth/test").json()["permissions"] == ["servers:read"]
    key = ApiKey.objects.get()
    for path in (PAGE, detail(key), detail(key, "/edit")):
        assert not secrets_in(page(owner_client, path))


def test_every_field_of_the_form(owner_client: Client, organization: Organization) -> None:
    server = factories.server(organization, name="web-1")
    site = factories.site(server, domain="shop.example")
    make(
        owner_client,
        description="For the office",
        permissions=["instances:*", "servers:read"],
        environment="test",
        active="",
        expires_at="2099-12-31",
        ip_whitelist="203.0.113.0/24\r\n2001:db8::1\r\n",
        rate_limit="high_volume",
        auto_rotate="on",
        rotation_period="90d",
        grace_period="2d",
        notification_email="ops@acme.test",
        is_limited="on",
        servers=[server.pk],
        sites=[site.pk],
    )
    key = ApiKey.objects.get()
    assert key.description == "For the office"
    assert sorted(key.grants) == ["instances:*", "servers:read"]
    assert (key.environment, key.is_active, key.rate_type) == ("test", False, "high_volume")
    assert key.expires_at == datetime.combine(datetime(2099, 12, 31), time.max, tzinfo=UTC)  # noqa: DTZ001
    assert key.ip_allowlist == ["203.0.113.0/24", "2001:db8::1"]
    assert (key.auto_rotate, key.rotation_period, key.grace_period) == (True, "90d", "2d")
    assert key.notification_email == "ops@acme.test"
    assert key.resources == {"servers": [server.pk], "sites": [site.pk]}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "ab"}, "The name field must be at least 3 characters."),
        ({"permissions": []}, "Choose at least one permission."),
        ({"permissions": ["servers:explode"]}, "Select a valid choice."),
        ({"permissions": ["read", "servers:read"]}, "of duties, not both."),
        ({"permissions": ["read"], "environment": "test"}, "A test key has permissions of resources"),
        ({"expires_at": "2020-01-01"}, "must be a date in the future"),
        ({"ip_whitelist": "203.0.113.1\r\nnowhere"}, "nowhere: This is no address"),
        ({"grace_period": "soon"}, "The grace period field must be a number of hours"),
        ({"auto_rotate": "on"}, "The rotation period field is required when auto rotate is on."),
        ({"auto_rotate": "on", "rotation_period": "2d"}, "must be longer than the grace period"),
        ({"notification_email": "nobody"}, "Enter a valid email address."),
        ({"is_limited": "on"}, "Choose at least one server or site"),
        ({"is_limited": "on", "servers": ["01JAZ5QHVW3K9T6R8M2N4P7XYC"]}, "Select a valid choice."),
    ],
)
def test_a_form_that_is_refused_says_why_and_makes_nothing(
    fields: dict[str, object], message: str, owner_client: Client
) -> None:
    assert message in refused(owner_client, f"{PAGE}/new", **fields)
    assert not ApiKey.objects.exists()


def test_what_is_refused_stands_at_its_field(owner_client: Client) -> None:
    html = refused(owner_client, f"{PAGE}/new", ip_whitelist="nowhere")
    assert re.search(r'id="id_ip_whitelist_error">\s*<div>nowhere: This is no address', html)


def test_a_server_of_somebody_else_is_not_offered(owner_client: Client, outsider: Actor) -> None:
    foreign = factories.server(outsider.organization, name="foreign-1")
    assert "foreign-1" not in page(owner_client, f"{PAGE}/new")
    assert "Select a valid choice" in refused(owner_client, f"{PAGE}/new", is_limited="on", servers=[foreign.pk])


def test_no_limit_at_all_is_for_the_enterprise_plan(owner_client: Client) -> None:
    unlimited = re.compile(r'<input[^>]*value="unlimited"[^>]*\bdisabled\b')
    assert not unlimited.search(page(owner_client, f"{PAGE}/new"))
    Organization.objects.update(plan="professional")
    html = page(owner_client, f"{PAGE}/new")
    assert unlimited.search(html)
    assert "Unlimited: needs the Enterprise plan" in html
    html = refused(owner_client, f"{PAGE}/new", rate_limit="unlimited")
    assert "Keys without a limit need the Enterprise plan." in html
    assert not ApiKey.objects.exists()


def test_the_list_shows_what_one_needs_to_tell_keys_apart(owner_client: Client, owner: Actor) -> None:
    key = key_of(owner, description="Watches the servers", rate_limit="high_volume")
    ApiKey.objects.update(last_used_at=timezone.now() - timedelta(hours=2))
    html = page(owner_client, PAGE)
    texts = ("Monitoring", "Watches the servers", f"dep_live_{key.public_id}", "servers:read", "Live", "Active")
    for text in (*texts, "High volume", "just now", "Never", "2 hours ago"):
        assert text in html


def test_keys_that_open_nothing_say_so_and_revoked_ones_are_gone(owner_client: Client, owner: Actor) -> None:
    key_of(owner, name="Off for now", active=False)
    expired, revoked = key_of(owner, name="Long ago"), key_of(owner, name="Thrown away")
    ApiKey.objects.filter(pk=expired.pk).update(expires_at=timezone.now() - timedelta(days=1))
    ApiKey.objects.filter(pk=revoked.pk).update(revoked_at=timezone.now())
    html = page(owner_client, PAGE)
    for text in ("Off for now", "Switched off", "Long ago", "Expired"):
        assert text in html
    assert "Thrown away" not in html
    assert owner_client.get(detail(revoked)).status_code == 404


@pytest.mark.parametrize("form", ["{name}", "key_{public_id}", "dep_live_{public_id}", "{public_id}"])
def test_searching_by_name_and_by_each_form_of_the_id(form: str, owner_client: Client, owner: Actor) -> None:
    wanted = key_of(owner, name="Wanted")
    key_of(owner, name="Something else")
    html = page(owner_client, f"{PAGE}?q={form.format(name=wanted.name, public_id=wanted.public_id)}")
    assert "Actions for Wanted" in html
    assert "Something else" not in html


def test_the_list_takes_as_many_queries_for_a_page_as_for_one_key(
    owner_client: Client, owner: Actor, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    key_of(owner)
    with django_assert_num_queries(5) as few:
        page(owner_client, PAGE)
    for number in range(30):
        key_of(owner, name=f"Key {number}")
    with django_assert_num_queries(len(few)):
        html = page(owner_client, PAGE)
    assert html.count("Actions for") == 25
    assert "1 to 25 of 31" in html


def test_an_empty_list_offers_the_next_step(owner_client: Client) -> None:
    html = page(owner_client, PAGE)
    assert "No API keys yet" in html
    assert f'href="{PAGE}/new"' in html
    assert "Nothing found" in page(owner_client, f"{PAGE}?q=nothing")


CHANGES = ("/edit", "/rotate", "/switch-off", "/close-rotation", "/revoke")


def test_a_viewer_sees_and_changes_no_key(member_client: Client, owner: Actor) -> None:
    key = key_of(owner)
    for path in (PAGE, f"{PAGE}/new", f"{PAGE}/revoke?token={key.pk}"):
        assert member_client.get(path).status_code == 403
    assert member_client.get(detail(key)).status_code == 404
    before = ApiKey.objects.values().get()
    assert member_client.post(f"{PAGE}/new", FORM).status_code == 403
    assert {member_client.post(detail(key, part), FORM).status_code for part in CHANGES} == {403, 404}
    assert member_client.post(f"{PAGE}/revoke", {"token": key.pk}).status_code == 403
    assert ApiKey.objects.values().get() == before
    rail = page(member_client, "/settings/tokens")
    assert "API Keys" not in rail
    assert "Access Tokens" not in rail


def test_whoever_lost_the_role_no_longer_sees_their_own_keys(owner_client: Client, owner: Actor) -> None:
    key = key_of(owner)
    owner.organization.memberships.update(role="viewer")
    assert owner_client.get(detail(key)).status_code == 403
    assert owner_client.post(detail(key, "/revoke"), {"confirm": key.name}).status_code == 403


def test_an_outsider_sees_and_changes_nothing(outsider_client: Client, owner: Actor) -> None:
    key = key_of(owner)
    before = ApiKey.objects.values().get()
    assert "Monitoring" not in page(outsider_client, PAGE)
    assert outsider_client.get(detail(key)).status_code == 404
    assert {outsider_client.post(detail(key, part), FORM).status_code for part in CHANGES} == {404}
    outsider_client.post(f"{PAGE}/revoke", {"token": key.pk})
    assert ApiKey.objects.values().get() == before


def test_without_api_access_the_upgrade_is_offered_instead_of_the_form(owner_client: Client, owner: Actor) -> None:
    Organization.objects.update(plan="free")
    for path in (PAGE, f"{PAGE}/new"):
        html = page(owner_client, path)
        assert "Upgrade to Professional or Enterprise" in html
        assert 'name="permissions"' not in html
    assert owner_client.post(f"{PAGE}/new", FORM).status_code == 422
    assert not ApiKey.objects.exists()


def test_pages_hold_no_inline_script_or_style(owner_client: Client, owner: Actor) -> None:
    key = key_of(owner)
    rotate_api_key(owner, key=key_of(owner, name="Rotated"))
    for path in (PAGE, f"{PAGE}/new", f"{PAGE}/revoke?token={key.pk}"):
        assert_plain(page(owner_client, path))
    for part in ("", "/edit", "/rotate", "/revoke"):
        assert_plain(page(owner_client, detail(key, part)))


def assert_plain(html: str) -> None:
    assert "style=" not in html
    assert "hx-on" not in html
    assert not re.search(r"<script(?![^>]*\bsrc=)", html)
