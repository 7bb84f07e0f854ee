"""From the invitation's mail to the membership."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from audit.models import AuditEvent
from deploynix.actor import Actor
from deploynix.errors import Conflict, Denied, Error, Invalid, LimitReached
from deploynix.mail import CONSOLE, SMTP
from organizations.actions import (
    accept_invitation,
    invite_member,
    remove_member,
    resend_invitation,
    withdraw_invitation,
)
from organizations.models import Invitation, Membership, Organization, Role
from tests import factories
from tools.ports import free_port


def link() -> str:
    """The path in the mail sent last."""
    found = re.search(r"http://localhost:8000(/invitations/\S+)", str(mail.outbox[-1].body))
    assert found, mail.outbox[-1].body
    return found[1]


def secret() -> str:
    return link().rpartition("/")[2]


@pytest.fixture
def invited(owner: Actor) -> Invitation:
    return invite_member(owner, email=" New@Acme.test", role="developer")


def test_invites_by_mail(owner_client: Client, owner: Actor) -> None:
    response = owner_client.post(
        "/settings/members/invite", {"email": "new@acme.test", "role": "developer"}, follow=True
    )

    assert b"new@acme.test is invited" in response.content
    assert mail.outbox[0].to == ["new@acme.test"]
    assert mail.outbox[0].subject == "[Deploynix] You are invited to Acme"
    assert "as developer" in str(mail.outbox[0].body)
    event = AuditEvent.objects.get(event="member.invited")
    assert (event.user, event.target, event.changes) == (
        owner.user,
        "new@acme.test (developer)",
        {"role": [None, "developer"]},
    )


def test_the_link_is_not_stored(invited: Invitation) -> None:
    row = Invitation.objects.values().get()
    assert secret() not in str(row)
    assert secret() not in str(AuditEvent.objects.values_list("changes", "target"))


def test_the_page_says_where_the_link_is_when_there_is_no_mail_server(
    owner_client: Client, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.EMAIL_BACKEND = CONSOLE

    response = owner_client.post("/settings/members/invite", {"email": "new@acme.test", "role": "viewer"}, follow=True)

    assert b"No mail server is set up" in response.content
    assert "/invitations/" in capsys.readouterr().out


def test_someone_new_signs_up_by_the_link_where_registration_is_closed(
    client: Client, owner: Actor, invited: Invitation
) -> None:
    assert b"Create the account and join" in client.get(link()).content

    response = client.post(link(), {"name": "New", "password": factories.PASSWORD})

    assert response["Location"] == "/"
    membership = Membership.objects.get(user__email="new@acme.test")
    assert (membership.organization, membership.role) == (owner.organization, "developer")
    assert client.get("/settings/profile").status_code == 200
    assert client.get(link()).status_code == 404, "a link is good for one use"
    told = set(AuditEvent.objects.filter(user=membership.user).values_list("event", flat=True))
    assert told == {"member.joined", "user.signed-up"}


def test_someone_new_chooses_a_good_password(client: Client, invited: Invitation) -> None:
    response = client.post(link(), {"name": "New", "password": "short"})

    assert response.status_code == 422
    assert not Membership.objects.filter(user__email="new@acme.test").exists()
    assert Invitation.objects.exists()


def test_someone_with_an_account_signs_in_and_joins(client: Client, owner: Actor, invited: Invitation) -> None:
    factories.membership(factories.organization("Mine"), "owner", "new@acme.test")
    page = client.get(link()).content.decode()
    assert f"/accounts/login?next={link().replace('/', '%2F')}" in page

    signed_in = client.post(
        "/accounts/login", {"login": "new@acme.test", "password": factories.PASSWORD, "next": link()}
    )
    assert signed_in["Location"] == link()
    assert b"Join Acme" in client.get(link()).content
    client.post(link())

    assert b"Acme" in client.get("/settings/organization").content
    assert owner.organization.memberships.get(user__email="new@acme.test").role == "developer"


def test_another_address_is_refused_with_a_clear_text(
    outsider_client: Client, outsider: Actor, invited: Invitation
) -> None:
    shown = outsider_client.get(link()).content.decode()
    assert "was sent to new@acme.test, and you are signed in as owner@other.test" in shown

    refused = outsider_client.post(link())

    assert refused.status_code == 422
    assert b"was sent to new@acme.test" in refused.content
    assert Invitation.objects.exists()
    assert outsider.user
    with pytest.raises(Conflict, match=r"new@acme\.test"):
        accept_invitation(outsider.user, secret=secret())


@pytest.mark.parametrize("path", ["/invitations/x", "/invitations/" + "A" * 43])
def test_an_unknown_link_says_what_to_do(client: Client, owner: Actor, path: str) -> None:
    response = client.get(path)

    assert response.status_code == 404
    assert b"Ask for a new one" in response.content


def test_a_link_ends_after_seven_days(client: Client, invited: Invitation) -> None:
    assert invited.expires_at - timezone.now() > timedelta(days=6, hours=23)
    Invitation.objects.update(expires_at=timezone.now())

    assert client.get(link()).status_code == 404
    assert client.post(link(), {"name": "New", "password": factories.PASSWORD}).status_code == 404


def test_sending_it_again_ends_the_old_link(owner_client: Client, client: Client, invited: Invitation) -> None:
    old = link()
    Invitation.objects.update(expires_at=timezone.now())

    response = owner_client.post(f"/settings/invitations/{invited.pk}/resend", follow=True)

    assert b"is invited" in response.content
    assert client.get(old).status_code == 404
    assert client.get(link()).status_code == 200


def test_a_withdrawn_one_is_gone(owner_client: Client, client: Client, invited: Invitation) -> None:
    owner_client.post(f"/settings/invitations/{invited.pk}/withdraw")

    assert client.get(link()).status_code == 404
    assert AuditEvent.objects.get(event="member.invitation-withdrawn").target == "new@acme.test (developer)"


def test_a_button_pressed_twice_says_so(owner: Actor, owner_client: Client, invited: Invitation) -> None:
    withdraw_invitation(owner, invitation=invited)

    assert owner_client.post(f"/settings/invitations/{invited.pk}/withdraw").status_code == 404
    with pytest.raises(Conflict, match="no longer open"):
        withdraw_invitation(owner, invitation=invited)


@pytest.mark.parametrize("email", ["new@acme.test", "OWNER@acme.test"])
def test_nobody_is_invited_twice(owner_client: Client, invited: Invitation, email: str) -> None:
    response = owner_client.post("/settings/members/invite", {"email": email, "role": "viewer"})

    assert response.status_code == 422
    assert b"is already" in response.content
    assert len(mail.outbox) == 1


def test_an_invitation_that_ended_makes_way_for_a_new_one(owner: Actor, invited: Invitation) -> None:
    Invitation.objects.update(expires_at=timezone.now())

    assert invite_member(owner, email="new@acme.test", role="viewer").pk != invited.pk


@pytest.mark.parametrize(("email", "role"), [("x", "viewer"), ("x@acme.test", "king"), ("", "viewer")])
def test_bad_input_invites_nobody(owner_client: Client, email: str, role: str) -> None:
    response = owner_client.post("/settings/members/invite", {"email": email, "role": role})

    assert response.status_code == 422
    assert not Invitation.objects.exists()
    assert not mail.outbox


def test_an_admin_invites_nobody_above_themselves(owner: Actor) -> None:
    admin = factories.actor(owner.organization, "admin")

    invite_member(admin, email="a@acme.test", role="admin")
    with pytest.raises(Denied, match="below owner"):
        invite_member(admin, email="b@acme.test", role="owner")

    by_owner = invite_member(owner, email="c@acme.test", role="owner")
    with pytest.raises(Denied, match="below owner"):
        withdraw_invitation(admin, invitation=by_owner)
    with pytest.raises(Denied, match="below owner"):
        resend_invitation(admin, invitation=by_owner)


def test_a_viewer_invites_nobody(member: Actor, member_client: Client, invited: Invitation) -> None:
    with pytest.raises(Denied, match="member:create"):
        invite_member(member, email="b@acme.test", role="viewer")
    assert member_client.post("/settings/members/invite", {"email": "b@acme.test"}).status_code == 403
    assert member_client.post(f"/settings/invitations/{invited.pk}/resend").status_code == 403
    assert member_client.post(f"/settings/invitations/{invited.pk}/withdraw").status_code == 403
    assert Invitation.objects.count() == 1


def test_an_outsider_finds_no_invitation(outsider: Actor, outsider_client: Client, invited: Invitation) -> None:
    assert outsider_client.post(f"/settings/invitations/{invited.pk}/resend").status_code == 404
    assert outsider_client.post(f"/settings/invitations/{invited.pk}/withdraw").status_code == 404
    with pytest.raises(Conflict):
        withdraw_invitation(outsider, invitation=invited)
    assert b"new@acme.test" not in outsider_client.get("/settings/members").content


def test_open_invitations_take_a_place_of_the_plan(owner: Actor, owner_client: Client) -> None:
    organization = owner.organization
    organization.plan = "starter"
    organization.save()
    sent = [invite_member(owner, email=f"{number}@acme.test", role="viewer") for number in range(4)]

    with pytest.raises(LimitReached) as caught:
        invite_member(owner, email="5@acme.test", role="viewer")
    assert caught.value.limit == "max_members"
    response = owner_client.post("/settings/members/invite", {"email": "5@acme.test", "role": "viewer"})
    assert response.status_code == 422
    assert b"max_members" in response.content

    Invitation.objects.filter(pk=sent[0].pk).update(expires_at=timezone.now())
    invite_member(owner, email="5@acme.test", role="viewer")
    with pytest.raises(LimitReached):
        resend_invitation(owner, invitation=sent[0])


def test_who_accepts_when_the_plan_has_shrunk_is_told(client: Client, owner: Actor, invited: Invitation) -> None:
    owner.organization.plan = "free"
    owner.organization.save()

    response = client.post(link(), {"name": "New", "password": factories.PASSWORD})

    assert response.status_code == 422
    assert b"max_members" in response.content
    assert Invitation.objects.exists()


def test_a_mail_that_cannot_be_sent_can_be_sent_again(owner: Actor, settings: Settings) -> None:
    works = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = SMTP
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    with pytest.raises(Error, match="could not be sent"):
        invite_member(owner, email="new@acme.test", role="viewer")

    settings.EMAIL_BACKEND = works
    resend_invitation(owner, invitation=Invitation.objects.get())
    assert mail.outbox[0].to == ["new@acme.test"]


def test_a_removed_person_leaves_no_way_back_in(owner: Actor) -> None:
    admin = factories.membership(owner.organization, "admin", "admin@acme.test")
    invite_member(admin.as_actor(), email="friend@acme.test", role="admin")
    invite_member(owner, email="other@acme.test", role="viewer")

    remove_member(owner, membership=admin)

    assert [row.email for row in Invitation.objects.all()] == ["other@acme.test"]


def test_a_line_break_in_a_name_breaks_no_mail(owner: Actor) -> None:
    owner.organization.name = "Acme\nBcc: everybody@evil.test"
    owner.organization.save()

    invite_member(owner, email="new@acme.test", role="viewer")

    assert mail.outbox[0].subject == "[Deploynix] You are invited to Acme Bcc: everybody@evil.test"
    assert mail.outbox[0].recipients() == ["new@acme.test"]


def test_the_form_shows_what_is_wrong_with_it(owner_client: Client) -> None:
    assert b"valid email" in owner_client.post("/settings/members/invite", {"email": "x", "role": "viewer"}).content


def test_an_unknown_role_is_named(owner: Actor) -> None:
    with pytest.raises(Invalid) as caught:
        invite_member(owner, email="new@acme.test", role="king")
    assert caught.value.errors == {"role": ["The selected role is invalid."]}


def test_an_admin_is_offered_no_role_above_their_own(organization: Organization) -> None:
    client = factories.signed_in(factories.actor(organization, Role.ADMIN))
    content = client.get("/settings/members/invite").content.decode()
    assert 'value="admin"' in content
    assert 'value="owner"' not in content
    response = client.post("/settings/members/invite", {"email": "new@acme.test", "role": "owner"})
    assert response.status_code == 422
    assert not Invitation.objects.exists()
