"""Who reaches which page, and what everybody else sees."""

import pytest
from django.test import Client
from pytest_django import Settings

from deploynix.actor import Actor
from tests import factories

PAGES = {
    "/settings/profile": ("owner", "admin", "developer", "viewer"),
    "/settings/organization": ("owner", "admin", "developer", "viewer"),
    "/settings/billing": ("owner", "admin"),
    "/settings/members": ("owner", "admin", "developer", "viewer"),
    "/settings/members/invite": ("owner", "admin"),
    "/settings/audit": ("owner", "admin"),
    "/settings/audit/export": ("owner", "admin"),
}
BUTTONS = ("organization/leave", "members/{pk}/remove", "invitations/{pk}/resend", "invitations/{pk}/withdraw")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("role", ["owner", "admin", "developer", "viewer"])
def test_a_page_opens_for_the_roles_that_may_see_it(owner: Actor, role: str, path: str) -> None:
    person = factories.actor(owner.organization, role, "somebody@acme.test")

    response = factories.signed_in(person).get(path)

    assert response.status_code == (200 if role in PAGES[path] else 403)


def test_the_refusal_names_the_ability(member_client: Client) -> None:
    assert b"audit:read" in member_client.get("/settings/audit").content


@pytest.mark.parametrize("path", [*PAGES, "/organizations/new"])
def test_a_stranger_is_sent_to_sign_in(client: Client, owner: Actor, path: str) -> None:
    assert client.get(path)["Location"] == f"/accounts/login?next={path}"


def test_htmx_loads_the_sign_in_page_as_a_whole(client: Client, owner: Actor) -> None:
    response = client.get("/settings/members", headers={"HX-Request": "true"})

    assert response.status_code == 200
    assert response["HX-Redirect"] == "/accounts/login?next=/settings/members"


@pytest.mark.parametrize("path", PAGES)
def test_who_is_in_no_organization_is_led_to_making_one(client: Client, owner: Actor, path: str) -> None:
    client.force_login(factories.user("alone@acme.test"))

    response = client.get(path)

    assert response["Location"] == "/organizations/new"
    assert b"alone@acme.test" in client.get("/organizations/new").content


@pytest.mark.parametrize("path", BUTTONS)
def test_buttons_answer_posts_alone(owner_client: Client, path: str) -> None:
    assert owner_client.get("/settings/" + path.format(pk="x")).status_code == 405


def test_no_page_holds_anything_inline(owner_client: Client, settings: Settings) -> None:
    for path in [*PAGES, "/organizations/new", "/accounts/2fa", "/accounts/password/change"]:
        response = owner_client.get(path)
        if response["Content-Type"].startswith("text/html"):
            page = response.content
            assert b"style=" not in page
            assert b"<script>" not in page
            assert b"onclick" not in page
