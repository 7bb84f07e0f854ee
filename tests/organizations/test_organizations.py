"""Making, naming and switching organizations; plans and their caps."""

from io import StringIO

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client

from audit.models import AuditEvent
from deploynix.actor import Actor
from deploynix.errors import Denied, LimitReached
from organizations.actions import rename_organization
from organizations.limits import require_room
from organizations.models import Membership, Organization
from organizations.plans import PLANS
from tests import factories


def current(client: Client) -> str:
    """The organization that the pages show."""
    context = client.get("/settings/organization").context
    return str(context["actor"].organization)


def test_makes_another_organization_and_goes_there(member_client: Client, member: Actor) -> None:
    response = member_client.post("/organizations/new", {"name": " Second "})

    assert response["Location"] == "/"
    assert current(member_client) == "Second"
    assert Membership.objects.get(organization__name="Second").role == "owner"
    event = AuditEvent.objects.get(event="organization.created")
    assert (event.user, event.target, event.ip) == (member.user, "Second", "127.0.0.1")


@pytest.mark.parametrize("name", ["", " ", "x" * 256])
def test_a_bad_name_makes_nothing(owner_client: Client, name: str) -> None:
    assert owner_client.post("/organizations/new", {"name": name}).status_code == 422
    assert Organization.objects.count() == 1


def test_switches_and_stays(owner_client: Client, owner: Actor) -> None:
    second = factories.organization("Second")
    assert owner.user
    Membership.objects.create(organization=second, user=owner.user, role="viewer")
    assert current(owner_client) == "Acme"

    assert owner_client.post(f"/organizations/{second.pk}/switch")["Location"] == "/"

    assert current(owner_client) == "Second"
    assert owner_client.get("/settings/audit").status_code == 403, "a viewer there"


def test_nobody_switches_to_where_they_do_not_belong(outsider_client: Client, owner: Actor) -> None:
    assert outsider_client.post(f"/organizations/{owner.organization.pk}/switch").status_code == 404
    assert outsider_client.get(f"/organizations/{owner.organization.pk}/switch").status_code == 405
    assert current(outsider_client) == "Other"


def test_who_is_removed_falls_back_to_another_organization(owner_client: Client, owner: Actor) -> None:
    second = factories.organization("Second")
    assert owner.user
    membership = Membership.objects.create(organization=second, user=owner.user, role="viewer")
    owner_client.post(f"/organizations/{second.pk}/switch")
    membership.delete()

    assert current(owner_client) == "Acme"


def test_renames(owner_client: Client, owner: Actor) -> None:
    response = owner_client.post("/settings/organization", {"name": "Acme & Sons"}, follow=True)

    assert b"Acme &amp; Sons" in response.content
    event = AuditEvent.objects.get(event="organization.updated")
    assert event.changes == {"name": ["Acme", "Acme & Sons"]}


@pytest.mark.parametrize("role", ["admin", "developer", "viewer"])
def test_only_an_owner_renames(owner: Actor, role: str) -> None:
    person = factories.actor(owner.organization, role)

    with pytest.raises(Denied, match="organization:update"):
        rename_organization(person, name="Mine")
    response = factories.signed_in(person).post("/settings/organization", {"name": "Mine"})
    assert response.status_code == 422
    assert b"organization:update" in response.content
    assert Organization.objects.get().name == "Acme"


def test_a_bad_name_changes_nothing(owner: Actor) -> None:
    with pytest.raises(ValidationError):
        rename_organization(owner, name=" ")
    assert Organization.objects.get().name == "Acme"


def test_the_page_shows_plan_and_usage(owner_client: Client, owner: Actor) -> None:
    owner.organization.plan = "starter"
    owner.organization.save()
    factories.server(owner.organization)

    page = owner_client.get("/settings/organization").content.decode()

    assert "The Starter plan" in page
    assert '<progress class="progress progress-sm" value="1" max="5" aria-label="Servers">' in page
    assert '<progress class="progress progress-sm" value="1" max="5" aria-label="Members">' in page


def test_a_plan_without_caps_shows_no_bars(owner_client: Client) -> None:
    page = owner_client.get("/settings/organization").content.decode()

    assert "no limit" in page
    assert "<progress" not in page


@pytest.mark.parametrize("limit", ["max_servers", "max_sites", "max_members"])
def test_every_cap_is_counted_and_named(owner: Actor, limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("organizations.limits._counters", {limit: lambda organization: 1000})
    require_room(owner.organization, limit)

    owner.organization.plan = "professional"
    with pytest.raises(LimitReached, match=rf"Professional plan allows \d+ \({limit}\)") as caught:
        require_room(owner.organization, limit)
    assert caught.value.status == 422
    assert set(caught.value.errors) == {limit}


def test_every_cap_of_every_plan_has_a_counter(owner: Actor, owner_client: Client) -> None:
    page = owner_client.get("/settings/organization")
    caps = {field for field in PLANS["free"].__slots__ if field.startswith("max_")}
    assert {f"max_{cap['label'].lower()}" for cap in page.context["caps"]} == caps


@pytest.mark.parametrize("by", ["pk", "name"])
def test_a_command_sets_the_plan(owner: Actor, by: str) -> None:
    out = StringIO()

    call_command("set_plan", getattr(owner.organization, by), "free", stdout=out)

    assert out.getvalue() == "Acme is on the Free plan.\n"
    event = AuditEvent.objects.get(event="organization.updated")
    assert (event.actor, event.changes) == ("system", {"plan": ["enterprise", "free"]})


def test_the_command_says_what_it_cannot_do(owner: Actor) -> None:
    with pytest.raises(CommandError, match="No organization"):
        call_command("set_plan", "Nobody", "free")
    with pytest.raises(CommandError, match="invalid choice"):
        call_command("set_plan", "Acme", "gold")
    factories.organization("Acme")
    with pytest.raises(CommandError, match="More than one"):
        call_command("set_plan", "Acme", "free")
