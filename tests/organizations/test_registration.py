"""Signing up: the first user, a closed door, an open one, and two who come first at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from audit.models import AuditEvent
from deploynix.actor import Actor
from deploynix.errors import Invalid
from organizations.actions import RegistrationClosed, register
from organizations.models import Membership, Organization
from tests import factories

FORM = {
    "name": "Ada",
    "email": " Ada@Acme.test",
    "password": factories.PASSWORD,
    "organization": "Acme",
}


def test_the_first_user_becomes_the_owner_and_is_signed_in(client: Client, db: None) -> None:
    response = client.post("/accounts/signup", FORM)

    assert response["Location"] == "/"
    membership = Membership.objects.get()
    assert (membership.user.email, membership.user.name) == ("ada@acme.test", "Ada")
    assert (membership.role, membership.organization.name, membership.organization.plan) == (
        "owner",
        "Acme",
        "enterprise",
    )
    assert client.get("/settings/profile").status_code == 200
    events = AuditEvent.objects.filter(organization=membership.organization)
    assert {event.event for event in events} == {"user.signed-up", "organization.created"}


def test_the_second_one_finds_the_door_closed(client: Client, owner: Actor) -> None:
    assert b"Registration is closed" in client.get("/accounts/signup").content

    response = client.post("/accounts/signup", FORM)

    assert response.status_code == 403
    assert User.objects.count() == 1


def test_an_open_door_lets_everybody_make_an_organization(client: Client, owner: Actor, settings: Settings) -> None:
    settings.REGISTRATION_OPEN = True

    client.post("/accounts/signup", FORM)

    assert Organization.objects.filter(name="Acme").count() == 2
    page = client.get("/settings/members").content
    assert b"ada@acme.test" in page
    assert b"owner@acme.test" not in page


def test_who_is_signed_in_does_not_sign_up(owner_client: Client) -> None:
    assert owner_client.get("/accounts/signup")["Location"] == "/"


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", " ", "This field is required."),
        ("email", "not an address", "valid email"),
        ("email", "OWNER@acme.test", "The email has already been taken."),
        ("password", "short", "at least 10 characters"),
        ("password", "ada@acme.test", "too similar"),
        ("password", "1234567890", "too common"),
        ("organization", " ", "This field is required."),
        ("organization", "x" * 256, "at most 255"),
    ],
)
def test_bad_input_makes_nobody(
    client: Client, owner: Actor, settings: Settings, field: str, value: str, message: str
) -> None:
    settings.REGISTRATION_OPEN = True

    response = client.post("/accounts/signup", FORM | {field: value})

    assert response.status_code == 422
    assert message in response.content.decode()
    assert User.objects.count() == Organization.objects.count() == 1


def test_the_action_names_every_field_itself(db: None) -> None:
    with pytest.raises(Invalid) as caught:
        register(name=" ", email="x", password="short", organization="Acme")
    assert set(caught.value.errors) == {"name", "email", "password"}

    with pytest.raises(Invalid) as caught:
        register(name="Ada", email="ada@acme.test", password=factories.PASSWORD, organization=" ")
    assert set(caught.value.errors) == {"organization"}
    assert not User.objects.exists()


def test_signing_up_is_rate_limited(client: Client, owner: Actor, settings: Settings) -> None:
    settings.REGISTRATION_OPEN = True
    codes = [client.post("/accounts/signup", FORM | {"name": ""}).status_code for _ in range(21)]

    assert codes[:20] == [422] * 20
    assert codes[20] == 429


@pytest.mark.django_db(transaction=True)
def test_of_two_first_visitors_one_becomes_the_owner() -> None:
    barrier = Barrier(2)

    def visit(number: int) -> str:
        barrier.wait(10)
        try:
            register(name="A", email=f"{number}@acme.test", password=factories.PASSWORD, organization=f"Org {number}")
        except RegistrationClosed:
            return "closed"
        finally:
            connection.close()
        return "owner"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(visit, range(2))) == ["closed", "owner"]
    assert User.objects.count() == Organization.objects.count() == 1
