"""Repositories on the page of their Git provider, for an owner, a viewer and a stranger."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from deploynix.actor import Actor
from deploynix.ids import new_id
from providers.base import Kind
from providers.contracts.git import RepositoryPage
from providers.errors import MissingPermission
from providers.models import Credential
from providers.registry import provider_of
from repositories import actions
from repositories.models import GitRepository, Status
from tests.providers.asking import TOKEN, connect
from tests.repositories.conftest import connected, forge, read_now

pytestmark = pytest.mark.django_db


def text_of(client: Client, address: str, status: int = 200, **headers: str) -> str:
    response = client.get(address, headers=headers)
    assert response.status_code == status
    page = response.content.decode()
    assert TOKEN not in page
    assert "style=" not in page
    return page


def address_of(credential: Credential, rest: str = "") -> str:
    return f"/settings/git-providers/{credential.pk}{rest}"


def test_the_page_of_a_git_provider_leads_from_nothing_to_a_repository(
    owner_client: Client, credential: Credential
) -> None:
    connect_address = address_of(credential, "/repositories/connect")
    assert f'href="{connect_address}"' in text_of(owner_client, address_of(credential))
    page = text_of(owner_client, connect_address)
    assert 'name="full_name" value="acme/shop-1"' in page
    assert "acme/shop-3" not in page

    response = owner_client.post(connect_address, {"full_name": "acme/shop-1"}, follow=True)
    assert response.redirect_chain == [(address_of(credential), 302)]
    page = response.content.decode()
    assert "acme/shop-1 is connected." in page
    repository = GitRepository.objects.get()
    row = address_of(credential, f"/repositories/{repository.pk}")
    assert f'hx-get="{row}"' in page
    read_now(repository)
    part = text_of(owner_client, row, HX_Request="true")
    assert "<html" not in part
    assert "hx-get" not in part
    for text in ("acme/shop-1", "Private, branch main", "git@forge.test:acme/shop-1.git", "Connected"):
        assert text in part
    page = text_of(owner_client, connect_address)
    assert 'value="acme/shop-1"' not in page
    assert 'value="acme/shop-2"' in page


def test_what_the_account_offers_is_searched_and_followed(owner_client: Client, credential: Credential) -> None:
    address = address_of(credential, "/repositories/connect")
    found = text_of(owner_client, f"{address}?search=shop-3", HX_Request="true")
    assert "<html" not in found
    assert 'value="acme/shop-3"' in found
    assert "acme/shop-1" not in found
    page = text_of(owner_client, address)
    assert "?page=second" in page
    second = text_of(owner_client, f"{address}?page=second")
    assert 'value="acme/shop-3"' in second
    assert "First page" in second
    assert "No repository" in text_of(owner_client, f"{address}?search=nowhere")


def test_a_provider_that_fails_says_so_on_the_page(
    owner_client: Client, credential: Credential, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Any, search: str, page: str) -> RepositoryPage:
        raise MissingPermission("repositories", "Forge answered 403.", "Give it Repositories: read.")

    monkeypatch.setattr(provider_of(Kind.GIT, "forge"), "repositories", fail)
    page = text_of(owner_client, address_of(credential, "/repositories/connect"))
    assert "Forge answered 403." in page
    assert "Give it Repositories: read." in page


def test_what_is_refused_is_told_above_the_list(owner_client: Client, shop: GitRepository) -> None:
    address = address_of(shop.credential, "/repositories/connect")
    for name, reason in (
        ("acme/shop-2", "acme/shop-2 is connected with Forge already."),
        ("shop", "Give the owner and the name, as in acme/shop."),
        ("", "This field is required."),
    ):
        response = owner_client.post(f"{address}?search=shop", {"full_name": name})
        assert response.status_code == 422
        assert reason in response.content.decode()
    assert GitRepository.objects.count() == 1


def test_a_failure_stands_in_the_row_until_it_is_read_again(
    owner: Actor, owner_client: Client, credential: Credential
) -> None:
    repository = connected(owner, credential, "acme/gone")
    page = text_of(owner_client, address_of(credential))
    assert "Forge answered 404 to [redacted]." in page
    assert "Failed" in page
    GitRepository.objects.update(full_name="acme/shop-1")
    again = owner_client.post(address_of(credential, f"/repositories/{repository.pk}/read"), follow=True)
    assert "acme/shop-1 is being read." in again.content.decode()
    read_now(repository)
    assert repository.status == Status.CONNECTED


def test_a_repository_is_removed(owner_client: Client, shop: GitRepository) -> None:
    address = address_of(shop.credential)
    assert "repository acme/shop-2" in text_of(owner_client, address)
    response = owner_client.post(f"{address}/repositories/{shop.pk}/disconnect", follow=True)
    assert "acme/shop-2 is disconnected." in response.content.decode()
    assert not GitRepository.objects.exists()


def test_a_viewer_sees_and_is_told_what_is_missing(member_client: Client, shop: GitRepository) -> None:
    address = address_of(shop.credential)
    page = text_of(member_client, address)
    assert "acme/shop-2" in page
    for ability in ("provider:create", "provider:update", "provider:delete"):
        assert f"needs the ability {ability}" in page
    text_of(member_client, f"{address}/repositories/connect", 403)
    for rest in ("connect", f"{shop.pk}/read", f"{shop.pk}/disconnect"):
        response = member_client.post(f"{address}/repositories/{rest}", {"full_name": "acme/shop-1"})
        assert response.status_code == 403, rest
    assert list(GitRepository.objects.all()) == [shop]


def test_what_is_foreign_or_elsewhere_is_not_found(
    owner: Actor, owner_client: Client, outsider_client: Client, shop: GitRepository
) -> None:
    rests = ("", "/read", "/disconnect")
    for rest in rests:
        for client, credential in ((outsider_client, shop.credential), (owner_client, forge(owner, name=new_id()))):
            address = address_of(credential, f"/repositories/{shop.pk}{rest}")
            assert (client.post(address) if rest else client.get(address)).status_code == 404, rest
    text_of(outsider_client, address_of(shop.credential, "/repositories/connect"), 404)
    text_of(owner_client, f"/settings/git-providers/{connect(owner).pk}/repositories/connect", 404)
    assert list(GitRepository.objects.all()) == [shop]


def test_many_repositories_cost_no_more_than_one(
    owner: Actor, owner_client: Client, credential: Credential, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20):
        actions.connect_repository(owner, credential=credential, full_name=f"acme/shop-{number}")
    with django_assert_max_num_queries(12):
        assert "acme/shop-19" in text_of(owner_client, address_of(credential))
