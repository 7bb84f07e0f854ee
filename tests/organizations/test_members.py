"""Roles, removing and leaving; an organization never loses its last owner."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from audit.models import AuditEvent
from deploynix.actor import Actor
from deploynix.errors import Conflict, Denied, Error, Invalid
from organizations.actions import change_role, invite_member, leave_organization, remove_member
from organizations.models import Invitation, Membership, Role
from organizations.signals import member_removed
from tests import factories
from tokens.actions import create_token
from tokens.models import Token


@pytest.fixture
def developer(owner: Actor) -> Membership:
    return factories.membership(owner.organization, Role.DEVELOPER, "dev@acme.test")


def membership_of(actor: Actor) -> Membership:
    return Membership.objects.get(organization=actor.organization, user=actor.user)


def test_the_page_lists_members_and_finds_them(owner_client: Client, developer: Membership, outsider: Actor) -> None:
    page = owner_client.get("/settings/members").content.decode()
    assert "owner@acme.test" in page
    assert "dev@acme.test" in page
    assert "owner@other.test" not in page

    found = owner_client.get("/settings/members?q=DEV@").content.decode()
    assert "dev@acme.test" in found
    assert f"/settings/members/{developer.pk}" in found
    assert found.count("/settings/members/0") == 1


def test_the_page_costs_the_same_for_two_and_for_twenty(
    owner_client: Client, owner: Actor, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    invite_member(owner, email="a@acme.test", role="viewer")
    owner_client.get("/settings/members")
    with django_assert_num_queries(6):
        owner_client.get("/settings/members")
    for number in range(18):
        factories.membership(owner.organization, Role.VIEWER)
        invite_member(owner, email=f"{number}@acme.test", role="viewer")
    with django_assert_num_queries(6):
        owner_client.get("/settings/members")


def test_a_viewer_sees_which_ability_a_button_needs(member_client: Client, developer: Membership) -> None:
    assert b"member:create" in member_client.get("/settings/members").content
    assert b"member:update" in member_client.get(f"/settings/members/{developer.pk}").content


def test_changes_a_role(owner_client: Client, developer: Membership) -> None:
    response = owner_client.post(f"/settings/members/{developer.pk}", {"role": "admin"}, follow=True)

    assert b"is Admin now" in response.content
    developer.refresh_from_db()
    assert developer.role == "admin"
    event = AuditEvent.objects.get(event="member.role-changed")
    assert (event.target, event.changes) == ("dev@acme.test (admin)", {"role": ["developer", "admin"]})


def test_removes_a_member_and_their_tokens(owner: Actor, owner_client: Client, developer: Membership) -> None:
    create_token(developer.as_actor(), name="ci")

    response = owner_client.post(f"/settings/members/{developer.pk}/remove", {"confirm": "dev@acme.test"}, follow=True)

    assert b"is removed" in response.content
    assert not Membership.objects.filter(pk=developer.pk).exists()
    assert not Token.objects.active().filter(user=developer.user).exists()
    assert AuditEvent.objects.get(event="member.removed").target == "dev@acme.test (developer)"
    theirs = Client()
    theirs.force_login(developer.user)
    assert theirs.get("/settings/members")["Location"] == "/organizations/new"


def test_leaves(member_client: Client, member: Actor, owner: Actor) -> None:
    response = member_client.post("/settings/organization/leave", {"confirm": "Acme"})

    assert response["Location"] == "/settings/organization"
    assert not Membership.objects.filter(user=member.user).exists()
    assert AuditEvent.objects.get(event="member.left").user == member.user


def test_nothing_dangerous_happens_without_the_word_typed(
    owner_client: Client, member_client: Client, owner: Actor, developer: Membership
) -> None:
    removed = owner_client.post(f"/settings/members/{developer.pk}/remove", {"confirm": "someone"}, follow=True)
    left = member_client.post("/settings/organization/leave", follow=True)

    assert b"Type dev@acme.test to confirm." in removed.content
    assert b"Type Acme to confirm." in left.content
    assert owner.organization.memberships.count() == 3


@pytest.mark.parametrize("act", [remove_member, None])
def test_removing_and_leaving_tell_the_other_apps(
    owner: Actor, developer: Membership, act: Callable[..., None] | None
) -> None:
    told: list[object] = []

    def listen(sender: object, organization: object, user: object, **_: object) -> None:
        told.append((organization, user))

    member_removed.connect(listen)
    try:
        if act:
            act(owner, membership=developer)
        else:
            leave_organization(developer.as_actor())
    finally:
        member_removed.disconnect(listen)
    assert told == [(owner.organization, developer.user)]


def test_the_last_owner_stays_and_stays_owner(owner: Actor, owner_client: Client, developer: Membership) -> None:
    mine = membership_of(owner)
    with pytest.raises(Conflict, match="last owner cannot leave"):
        leave_organization(owner)
    with pytest.raises(Conflict, match="last owner cannot be removed"):
        remove_member(owner, membership=mine)
    with pytest.raises(Conflict, match="last owner cannot be given another role"):
        change_role(owner, membership=mine, role="admin")

    response = owner_client.post("/settings/organization/leave", {"confirm": "Acme"}, follow=True)
    assert b"The last owner cannot leave." in response.content
    response = owner_client.post(f"/settings/members/{mine.pk}", {"role": "viewer"})
    assert response.status_code == 422
    assert b"Make someone else an owner first." in response.content

    assert membership_of(owner).role == "owner"
    assert not AuditEvent.objects.filter(event__in=["member.left", "member.removed", "member.role-changed"]).exists()

    change_role(owner, membership=developer, role="owner")
    leave_organization(owner)
    assert [row.user for row in owner.organization.memberships.all()] == [developer.user]


def test_an_admin_neither_makes_nor_touches_owners(owner: Actor, developer: Membership) -> None:
    admin = factories.actor(owner.organization, Role.ADMIN)

    change_role(admin, membership=developer, role="admin")
    with pytest.raises(Denied, match="below owner"):
        change_role(admin, membership=developer, role="owner")
    with pytest.raises(Denied, match="below owner"):
        change_role(admin, membership=membership_of(admin), role="owner")
    with pytest.raises(Denied, match="below owner"):
        change_role(admin, membership=membership_of(owner), role="viewer")
    with pytest.raises(Denied, match="below owner"):
        remove_member(admin, membership=membership_of(owner))
    remove_member(admin, membership=developer)


@pytest.mark.parametrize("role", ["developer", "viewer"])
def test_others_change_nobody(owner: Actor, developer: Membership, role: str) -> None:
    person = factories.actor(owner.organization, role)
    client = factories.signed_in(person)

    with pytest.raises(Denied, match="member:update"):
        change_role(person, membership=developer, role="viewer")
    with pytest.raises(Denied, match="member:delete"):
        remove_member(person, membership=developer)
    response = client.post(f"/settings/members/{developer.pk}", {"role": "viewer"})
    assert response.status_code == 422
    assert b"member:update" in response.content
    assert client.post(f"/settings/members/{developer.pk}/remove", {"confirm": "dev@acme.test"}).status_code == 403
    developer.refresh_from_db()
    assert developer.role == "developer"


def test_an_outsider_finds_nobody(outsider: Actor, outsider_client: Client, developer: Membership) -> None:
    assert outsider_client.get(f"/settings/members/{developer.pk}").status_code == 404
    assert outsider_client.post(f"/settings/members/{developer.pk}", {"role": "viewer"}).status_code == 404
    assert outsider_client.post(f"/settings/members/{developer.pk}/remove").status_code == 404
    for act in (
        lambda: change_role(outsider, membership=developer, role="viewer"),
        lambda: remove_member(outsider, membership=developer),
    ):
        with pytest.raises(Conflict, match="no longer a member"):
            act()
    developer.refresh_from_db()
    assert developer.role == "developer"


def test_an_unknown_role_is_named(owner: Actor, developer: Membership) -> None:
    with pytest.raises(Invalid) as caught:
        change_role(owner, membership=developer, role="king")
    assert caught.value.errors == {"role": ["The selected role is invalid."]}


def test_a_lower_role_ends_the_invitations_to_higher_ones(owner: Actor) -> None:
    admin = factories.membership(owner.organization, Role.ADMIN)
    for role in ("admin", "viewer"):
        invite_member(admin.as_actor(), email=f"{role}@acme.test", role=role)

    change_role(owner, membership=admin, role="developer")

    assert [row.email for row in Invitation.objects.all()] == ["viewer@acme.test"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", ["leave", "remove each other", "demote each other"])
def test_two_owners_at_once_leave_one(organization: object, owner: Actor, act: str) -> None:
    second = factories.actor(owner.organization, Role.OWNER)
    barrier = Barrier(2)

    def go(me: Actor, other: Actor) -> str:
        barrier.wait(10)
        try:
            if act == "leave":
                leave_organization(me)
            elif act == "remove each other":
                remove_member(me, membership=membership_of(other))
            else:
                change_role(me, membership=membership_of(other), role="viewer")
        except Error as error:
            return type(error).__name__
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(2) as pool:
        results = sorted(pool.map(go, [owner, second], [second, owner]))

    assert results == ["Conflict", "done"]
    assert owner.organization.memberships.filter(role=Role.OWNER).count() == 1
