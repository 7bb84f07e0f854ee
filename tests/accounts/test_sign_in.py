"""Signing in and out, and what the audit log says of it."""

import pytest
from django.test import Client
from pytest_django import Settings

from audit.models import AuditEvent
from deploynix.actor import Actor
from organizations.models import Membership, Organization
from tests import factories
from tests.accounts.pages import sign_in, without_typed


def test_signs_in_and_goes_to_the_page_asked_for(client: Client, owner: Actor) -> None:
    asked = client.get("/settings/members?q=x")
    assert asked["Location"] == "/accounts/login?next=/settings/members%3Fq%3Dx"

    response = sign_in(client, " Owner@Acme.test ", next="/settings/members?q=x")

    assert response["Location"] == "/settings/members?q=x"
    assert client.get("/settings/profile").status_code == 200
    event = AuditEvent.objects.get(event="user.signed-in")
    assert (event.organization, event.user, event.ip) == (owner.organization, owner.user, "127.0.0.1")


def test_never_goes_to_another_host(client: Client, owner: Actor) -> None:
    assert sign_in(client, "owner@acme.test", next="https://evil.test/")["Location"] == "/"


def test_a_wrong_password_and_an_unknown_address_look_the_same(client: Client, owner: Actor) -> None:
    known = sign_in(client, "owner@acme.test", "wrong")
    unknown = sign_in(client, "nobody@acme.test", "wrong")

    assert known.status_code == unknown.status_code == 200
    assert without_typed(known, "owner@acme.test") == without_typed(unknown, "nobody@acme.test")
    assert b"not correct" in known.content


def test_a_failed_sign_in_is_told_to_every_organization_of_the_person(client: Client, owner: Actor) -> None:
    second = factories.organization("Second")
    assert owner.user
    Membership.objects.create(organization=second, user=owner.user, role="viewer")

    sign_in(client, "owner@acme.test", "wrong")
    sign_in(client, "nobody@acme.test", "wrong")

    events = AuditEvent.objects.filter(event="user.sign-in-failed")
    assert {event.organization for event in events} == {owner.organization, second}
    assert {(event.actor, event.user, event.target) for event in events} == {("Not signed in", None, "owner@acme.test")}


def test_guessing_is_stopped_even_for_the_right_password(client: Client, owner: Actor) -> None:
    for _ in range(5):
        sign_in(client, "owner@acme.test", "wrong")

    response = sign_in(client, "owner@acme.test")

    assert b"Too many failed" in response.content
    assert client.get("/settings/profile").status_code == 302


def test_guessing_from_one_address_does_not_stop_another(client: Client, owner: Actor, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = 1
    for number in range(10):
        client.post(
            "/accounts/login",
            {"login": f"guess{number}@acme.test", "password": "wrong"},
            headers={"X-Forwarded-For": "198.51.100.7"},
        )

    stopped = client.post(
        "/accounts/login",
        {"login": "owner@acme.test", "password": factories.PASSWORD},
        headers={"X-Forwarded-For": "203.0.113.9, 198.51.100.7"},
    )
    other = client.post(
        "/accounts/login",
        {"login": "owner@acme.test", "password": factories.PASSWORD},
        headers={"X-Forwarded-For": "198.51.100.7, 203.0.113.9"},
    )

    assert b"Too many failed" in stopped.content
    assert other.status_code == 302


def test_an_inactive_person_stays_out(client: Client, owner: Actor) -> None:
    assert owner.user
    owner.user.is_active = False
    owner.user.save()

    response = sign_in(client, "owner@acme.test")

    assert response["Location"] == "/accounts/inactive"
    assert client.get("/accounts/inactive").status_code == 200
    assert client.get("/settings/profile").status_code == 302


def test_signs_out_by_post_alone(owner_client: Client, owner: Actor) -> None:
    assert owner_client.get("/accounts/logout").status_code == 200
    assert owner_client.get("/settings/profile").status_code == 200

    response = owner_client.post("/accounts/logout")

    assert response["Location"] == "/accounts/login"
    assert owner_client.get("/settings/profile").status_code == 302
    assert AuditEvent.objects.get(event="user.signed-out").user == owner.user


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/settings/profile", "/settings/audit", "/organizations/new", "/accounts/login"])
def test_before_anybody_exists_every_page_leads_to_creating_the_owner(client: Client, path: str) -> None:
    response = client.get(path, follow=True)

    assert response.redirect_chain[-1][0] == "/accounts/signup"
    assert b"Create the owner" in response.content


def test_the_sign_up_link_stands_there_only_where_registration_is_open(
    client: Client, owner: Actor, settings: Settings
) -> None:
    assert b"/accounts/signup" not in client.get("/accounts/login").content
    settings.REGISTRATION_OPEN = True
    assert b"/accounts/signup" in client.get("/accounts/login").content


def test_the_actor_is_that_of_the_organization_joined_first(client: Client, organization: Organization) -> None:
    person = factories.membership(organization, "viewer", "two@acme.test").user
    factories.organization("Later").memberships.create(user=person, role="owner")
    sign_in(client, "two@acme.test")

    assert b"Acme" in client.get("/settings/organization").content
