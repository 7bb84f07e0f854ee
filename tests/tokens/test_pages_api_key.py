"""The pages of one API key: changing it, and giving it a new secret."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from deploynix.actor import Actor
from tests import factories
from tests.apiclient import ApiClient
from tests.tokens.test_pages import page
from tests.tokens.test_pages_api_keys import FORM, detail, key_of, refused, secrets_in
from tokens.actions import create_api_key, rotate_api_key, update_api_key
from tokens.models import ApiKey, TokenCaller

pytestmark = pytest.mark.django_db


def test_editing_changes_all_but_the_secret(owner_client: Client, owner: Actor) -> None:
    key, text = create_api_key(owner, name="Monitoring", permissions=["servers:read"])
    fields = {"name": "Watching", "description": "New", "permissions": ["instances:read"], "active": ""}
    response = owner_client.post(detail(key, "/edit"), FORM | fields | {"ip_whitelist": "203.0.113.9"})
    assert response.status_code == 302
    key.refresh_from_db()
    assert (key.name, key.description, key.grants, key.is_active) == ("Watching", "New", ["instances:read"], False)
    assert key.ip_allowlist == ["203.0.113.9"]
    update_api_key(owner, key=key, active=True, ip_whitelist=[])
    assert ApiClient(text).get("/auth/test").json()["permissions"] == ["instances:read"]


def test_the_form_shows_the_key_as_it_is_and_offers_its_own_sort_of_permissions(
    owner_client: Client, owner: Actor
) -> None:
    key = key_of(owner, permissions=["deploy"], ip_whitelist=["203.0.113.0/24"], description="As it is")
    html = page(owner_client, detail(key, "/edit"))
    assert "As it is" in html
    assert "203.0.113.0/24" in html
    assert re.search(r'value="deploy"[^>]* checked', html)
    assert "servers:read" not in html
    assert 'name="environment"' not in html


def test_saving_the_form_as_it_is_changes_nothing(owner_client: Client, owner: Actor) -> None:
    server = factories.server(owner.organization)
    end = timezone.now() + timedelta(days=30, hours=3)
    key = key_of(owner, expires_at=end, servers=[server.pk], ip_whitelist=["203.0.113.9"], rate_limit="limited")
    before = ApiKey.objects.values().get()
    fields: dict[str, Any] = {"expires_at": end.date().isoformat(), "ip_whitelist": "203.0.113.9"}
    fields |= {"is_limited": "on", "servers": [server.pk], "rate_limit": "limited"}
    assert owner_client.post(detail(key, "/edit"), FORM | fields).status_code == 302
    assert ApiKey.objects.values().get() == before


def test_an_expired_key_can_be_renamed_without_another_expiry(owner_client: Client, owner: Actor) -> None:
    key = key_of(owner)
    end = timezone.now() - timedelta(days=2)
    ApiKey.objects.update(expires_at=end)
    fields = {"name": "Renamed", "expires_at": end.date().isoformat()}
    assert owner_client.post(detail(key, "/edit"), FORM | fields).status_code == 302
    assert ApiKey.objects.get().name == "Renamed"


def test_the_limit_to_resources_is_lifted_by_its_box_only(owner_client: Client, owner: Actor) -> None:
    server = factories.server(owner.organization)
    key = key_of(owner, servers=[server.pk])
    assert "Choose at least one server or site" in refused(owner_client, detail(key, "/edit"), is_limited="on")
    assert ApiKey.objects.get().resources == {"servers": [server.pk], "sites": []}
    assert owner_client.post(detail(key, "/edit"), FORM).status_code == 302
    assert ApiKey.objects.get().resources is None


def test_editing_what_is_refused_changes_nothing(owner_client: Client, owner: Actor) -> None:
    key = key_of(owner)
    before = ApiKey.objects.values().get()
    html = refused(owner_client, detail(key, "/edit"), name="Another", permissions=[])
    assert "Choose at least one permission." in html
    assert ApiKey.objects.values().get() == before


def test_switching_off_and_on(owner_client: Client, owner: Actor) -> None:
    key, text = create_api_key(owner, name="Monitoring", permissions=["servers:read"])
    html = owner_client.post(detail(key, "/switch-off"), follow=True).content.decode()
    assert "The API key Monitoring is switched off." in html
    assert ApiClient(text).get("/auth/test").status_code == 401
    owner_client.post(detail(key, "/switch-on"))
    assert ApiClient(text).get("/auth/test").status_code == 200


def test_the_page_of_a_key_says_what_it_may_do_and_see(owner_client: Client, owner: Actor) -> None:
    server = factories.server(owner.organization, name="web-1")
    key = key_of(owner, permissions=["instances:write"], servers=[server.pk], ip_whitelist=["203.0.113.0/24"])
    html = page(owner_client, detail(key))
    for text in ("instances:write", "Add and change sites", "site:create", "site:update", "Servers: web-1"):
        assert text in html
    for text in ("203.0.113.0/24", key.key_id, "owner@acme.test", "By hand."):
        assert text in html
    current = re.findall(r'href="(/settings/[a-z-]+)" aria-current="page"', html)
    assert "/settings/api-keys" in current
    assert "/settings/tokens" not in current


def test_rotating_shows_the_new_secret_once_and_both_work(owner_client: Client, owner: Actor) -> None:
    key, old = create_api_key(owner, name="Monitoring", permissions=["servers:read"])
    assert "goes on working for 7d" in page(owner_client, detail(key, "/rotate"))
    response = owner_client.post(detail(key, "/rotate"))
    new_key = ApiKey.objects.exclude(pk=key.pk).get()
    assert response["Location"] == detail(new_key)
    (new,) = secrets_in(page(owner_client, detail(new_key)))
    assert not secrets_in(page(owner_client, detail(new_key)))
    for text in (old, new):
        assert ApiClient(text).get("/auth/test").status_code == 200


def test_the_old_secrets_users_are_shown_until_it_is_ended(owner_client: Client, owner: Actor) -> None:
    key, old = create_api_key(owner, name="Monitoring", permissions=["servers:read"])
    earlier = timezone.now()
    new, _ = rotate_api_key(owner, key=key)
    for address, at in (("198.51.100.7", earlier), ("203.0.113.9", timezone.now())):
        TokenCaller.objects.create(token=key, ip=address, agent="cron/1", route="GET /x", first_at=at, last_at=at)
    for path in (detail(key), detail(new)):
        html = page(owner_client, path)
        for text in (f"{key.key_id} was replaced by {new.key_id}", "203.0.113.9", "cron/1", "GET /x"):
            assert text in html
        assert "198.51.100.7" not in html
    html = owner_client.post(detail(key, "/close-rotation"), follow=True).content.decode()
    assert "The old secret of Monitoring is ended." in html
    assert ApiClient(old).get("/auth/test").status_code == 401
    assert "was replaced" not in page(owner_client, detail(new))
    assert owner_client.get(detail(key)).status_code == 404


def test_a_key_is_not_rotated_twice(owner_client: Client, owner: Actor) -> None:
    key = key_of(owner)
    rotate_api_key(owner, key=key)
    html = owner_client.post(detail(key, "/rotate"), follow=True).content.decode()
    assert "This key was rotated already" in html
    assert ApiKey.objects.count() == 2
    assert detail(key, "/rotate") not in html
