"""The pages of providers, for an owner, a viewer and a stranger."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from deploynix.actor import Actor
from jobs.models import Job
from jobs.models import Status as JobStatus
from providers import uses
from providers.base import Kind
from providers.models import Credential
from providers.uses import Use, register_user
from tests.providers.asking import TOKEN, connect

pytestmark = pytest.mark.django_db
LIST = "/settings/server-providers"
FORM = {"name": "Main", "values.api_token": TOKEN, "values.project": "main", "values.region": "fra1"}


def text_of(client: Client, address: str, status: int = 200, **headers: str) -> str:
    response = client.get(address, headers=headers)
    assert response.status_code == status
    page = response.content.decode()
    assert TOKEN not in page
    assert "style=" not in page
    assert "<script>" not in page
    return page


@pytest.mark.parametrize("section", ["server", "dns", "git", "backup"])
def test_an_empty_list_offers_the_next_step(owner_client: Client, member_client: Client, section: str) -> None:
    address = f"/settings/{section}-providers"
    page = text_of(owner_client, address)
    assert f'href="{address}/new"' in page
    assert f'href="{address}" aria-current="page"' in page
    page = text_of(member_client, address)
    assert f'href="{address}/new"' not in page
    assert "needs the ability provider:create" in page
    choice = text_of(owner_client, f"{address}/new")
    assert {"server": "Nimbus", "dns": "Cloudflare", "git": "Forge", "backup": "Depot"}[section] in choice
    text_of(member_client, f"{address}/new", 403)


def test_the_list_shows_one_kind_searches_and_stays_cheap(
    owner: Actor, owner_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20):
        connect(owner, name=f"Cloud {number:02}")
    connect(owner, kind="dns", provider="twofold", name="Zones", values=None, text="one:two")
    with django_assert_max_num_queries(8):
        page = text_of(owner_client, LIST)
    assert "Cloud 19" in page
    assert "Nimbus" in page
    assert "Zones" not in page
    found = text_of(owner_client, f"{LIST}?q=cloud 07")
    assert "Cloud 07" in found
    assert "Cloud 19" not in found
    assert "Nothing found" in text_of(owner_client, f"{LIST}?q=nowhere")


def test_the_form_and_the_guide_come_from_the_declaration(owner_client: Client) -> None:
    page = text_of(owner_client, f"{LIST}/new/nimbus")
    assert 'name="values.api_token"' in page
    assert 'type="password"' in page
    assert '<option value="fra1">Frankfurt</option>' in page
    for text in (
        "Choose New token.",
        "Servers: write",
        "Makes and removes servers.",
        "The account must have a payment method.",
        "A token belongs to one project.",
        "(optional)",
        'href="https://nimbus.test/tokens"',
        "&quot;Project&quot;: &quot;main&quot;",
    ):
        assert text in page, text
    text_of(owner_client, f"{LIST}/new/nowhere", 404)
    text_of(owner_client, "/settings/dns-providers/new/nimbus", 404)


def test_the_policy_follows_what_is_typed_without_the_secrets(owner_client: Client, member_client: Client) -> None:
    page = text_of(owner_client, f"{LIST}/new/nimbus")
    assert page.count("data-public") == 3
    assert 'hx-include="#credential-form [data-public]"' in page
    part = text_of(owner_client, f"{LIST}/new/nimbus/policy?values.project=shop%22%3E")
    assert "&quot;Project&quot;: &quot;shop\\&quot;&gt;&quot;" in part
    assert "<html" not in part
    assert "depot:backups/*" in text_of(
        owner_client, "/settings/backup-providers/new/depot/policy?values.bucket=backups"
    )
    text_of(member_client, f"{LIST}/new/nimbus/policy", 403)


def test_connecting_leads_to_the_page_of_the_credential(owner_client: Client) -> None:
    response = owner_client.post(f"{LIST}/new/nimbus", FORM)
    credential = Credential.objects.get()
    assert (response.status_code, response["Location"]) == (302, f"{LIST}/{credential.pk}")
    assert credential.values == {"api_token": TOKEN, "project": "main", "region": "fra1"}
    page = text_of(owner_client, response["Location"])
    assert "Being checked" in page
    assert "Frankfurt" in page
    assert "Not checked" in page


def test_what_is_refused_stands_at_its_field_and_the_secret_is_not_given_back(owner_client: Client) -> None:
    response = owner_client.post(f"{LIST}/new/nimbus", FORM | {"values.api_token": "CANARY SECRET"})
    page = response.content.decode()
    assert response.status_code == 422
    assert 'id="id_values.api_token_error"' in page
    assert "The api token format is invalid." in page
    assert "CANARY" not in page
    assert not Credential.objects.exists()


def test_a_key_file_is_not_given_back_either(owner_client: Client) -> None:
    form = {"name": "Depot", "values.bucket": "", "values.key_file": "CANARY"}
    response = owner_client.post("/settings/backup-providers/new/depot", form)
    assert response.status_code == 422
    assert "CANARY" not in response.content.decode()


def test_a_denied_permission_is_shown_with_its_fix(owner_client: Client, checked: Any) -> None:
    credential = checked("limited-token")
    page = text_of(owner_client, credential.get_absolute_url())
    for text in ("Limited", "Denied", "GET /images: 403", "Give the API Token the permission Images: read."):
        assert text in page, text
    assert "hx-trigger" not in page


def test_the_state_asks_for_itself_while_a_check_is_under_way(owner_client: Client, credential: Credential) -> None:
    part = text_of(owner_client, credential.get_absolute_url(), hx_request="true")
    assert "<html" not in part
    assert 'hx-trigger="every 2s"' in part
    Job.objects.update(status=JobStatus.SUCCEEDED)
    assert "hx-trigger" not in text_of(owner_client, credential.get_absolute_url(), hx_request="true")


def test_check_now(owner_client: Client, credential: Credential) -> None:
    Job.objects.update(status=JobStatus.SUCCEEDED)
    response = owner_client.post(f"{credential.get_absolute_url()}/check")
    assert response["Location"] == credential.get_absolute_url()
    assert Job.objects.count() == 2


def test_editing_keeps_a_secret_that_is_left_empty(owner_client: Client, credential: Credential) -> None:
    address = f"{credential.get_absolute_url()}/edit"
    assert "Leave it empty to keep" in text_of(owner_client, address)
    response = owner_client.post(address, {"name": "Renamed", "values.api_token": "", "values.project": "next"})
    assert response.status_code == 302
    credential = Credential.objects.get()
    assert (credential.name, credential.values) == ("Renamed", {"api_token": TOKEN, "project": "next"})


def test_the_secret_is_replaced_in_place(owner_client: Client, credential: Credential) -> None:
    page = text_of(owner_client, credential.get_absolute_url())
    address = f"{credential.get_absolute_url()}/secret"
    assert f'action="{address}"' in page
    response = owner_client.post(address, {"values.api_token": ""})
    assert response.status_code == 422
    response = owner_client.post(address, {"values.api_token": "replacement"})
    assert response["Location"] == credential.get_absolute_url()
    assert Credential.objects.get().values == {"api_token": "replacement", "project": "main"}


def test_a_key_is_replaced_together_with_its_id(owner: Actor, owner_client: Client) -> None:
    values = {"access_key_id": "first", "secret_access_key": "one", "bucket": "backups", "region": "eu-central-1"}
    credential = connect(owner, kind="storage", provider="s3", values=values)
    page = text_of(owner_client, f"{credential.get_absolute_url()}/secret")
    assert 'name="values.access_key_id" value="first"' in page
    assert "values.bucket" not in page
    form = {"values.access_key_id": "second", "values.secret_access_key": "two"}
    owner_client.post(f"{credential.get_absolute_url()}/secret", form)
    assert Credential.objects.get().values == {**values, "access_key_id": "second", "secret_access_key": "two"}


def test_the_danger_zone_refuses_while_in_use(
    owner_client: Client, credential: Credential, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uses, "_counters", {**uses._counters, Kind.SERVER: []})
    used = [Use("the server web-1", "/servers/1")]
    register_user(Kind.SERVER, lambda credential: used)
    address = credential.get_absolute_url()
    page = text_of(owner_client, address)
    assert '<a href="/servers/1">The server web-1</a>' in page
    assert f'action="{address}/delete"' not in page
    response = owner_client.post(f"{address}/delete", {"confirm": "Main"}, follow=True)
    assert "Main is used by the server web-1." in response.content.decode()
    used.clear()
    assert owner_client.post(f"{address}/delete", {"confirm": "Something"})["Location"] == address
    assert owner_client.post(f"{address}/delete", {"confirm": "Main"})["Location"] == LIST
    assert not Credential.objects.exists()


@pytest.mark.parametrize(("days", "text"), [(-1, "It has expired"), (3, "It expires")])
def test_the_end_of_a_credential_is_warned_of(
    owner_client: Client, credential: Credential, days: int, text: str
) -> None:
    Credential.objects.update(expires_at=timezone.now() + timedelta(days=days))
    assert text in text_of(owner_client, credential.get_absolute_url())
    assert "Expire" in text_of(owner_client, LIST)


def test_a_viewer_sees_all_but_changes_nothing(member_client: Client, credential: Credential) -> None:
    address = credential.get_absolute_url()
    page = text_of(member_client, address)
    for ability in ("provider:update", "provider:delete"):
        assert f"needs the ability {ability}" in page
    for path in ("/edit", "/secret"):
        text_of(member_client, f"{address}{path}", 403)
    for path in ("/check", "/delete", "/edit", "/secret"):
        assert member_client.post(f"{address}{path}", {"confirm": "Main"}).status_code == 403
    assert member_client.post(f"{LIST}/new/nimbus", FORM).status_code == 403


def test_a_stranger_finds_nothing(outsider_client: Client, credential: Credential) -> None:
    address = credential.get_absolute_url()
    for path in ("", "/edit", "/secret"):
        text_of(outsider_client, f"{address}{path}", 404)
    for path in ("/check", "/edit", "/secret"):
        assert outsider_client.post(f"{address}{path}", FORM).status_code == 404
    assert outsider_client.post(f"{address}/delete", {"confirm": "Main"}).status_code == 404
    assert credential.pk not in text_of(outsider_client, LIST)


def test_a_credential_is_under_its_own_kind_only(owner_client: Client, credential: Credential) -> None:
    text_of(owner_client, f"/settings/dns-providers/{credential.pk}", 404)


def test_the_reference_has_every_provider(owner_client: Client, member_client: Client) -> None:
    page = text_of(owner_client, "/settings/providers")
    for text in ("Nimbus", "Cloudflare", "Forge", "Depot", "Zone → DNS → Edit", "Servers: write"):
        assert text in page, text
    assert "Deploynix stores it encrypted" in page
    assert f'href="{LIST}/new/nimbus"' in page
    assert f'href="{LIST}/new/nimbus"' not in text_of(member_client, "/settings/providers")
