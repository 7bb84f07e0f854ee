"""Invitations: sent by mail, open for seven days, good for one address and one use."""

import hashlib
import secrets
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from audit.log import record
from deploynix.actor import Actor
from deploynix.errors import Conflict, Error, Invalid
from organizations.actions.members import require_reach
from organizations.limits import require_room
from organizations.models import INVITATION_LIFE, Invitation, Membership, Organization


class NoInvitation(Error):
    """The link's secret opens nothing."""

    status = 404
    code = "not_found"

    def __init__(self) -> None:
        super().__init__(
            "This invitation is not valid any more.",
            "It was used, withdrawn, or is older than seven days. Ask for a new one.",
        )


def invite_member(actor: Actor, *, email: str, role: str) -> Invitation:
    """Writes an invitation and mails its link. Needs member:create and a role at least as high.

    Raises Denied, Invalid or ValidationError naming email or role, LimitReached (max_members; open invitations
    count), and Error where the mail could not be sent: the invitation stays, and can be sent again.
    """
    actor.require("member:create")
    require_reach(actor, role, "member:create")
    invitation = Invitation(
        organization=actor.organization, email=email.strip().lower(), role=role, invited_by=actor.user
    )
    with transaction.atomic():
        require_room(actor.organization, "max_members")
        _require_new(invitation)
        secret = _open(invitation)
        record(actor, "member.invited", invitation, {"role": [None, role]})
    _mail(invitation, secret)
    return invitation


def resend_invitation(actor: Actor, *, invitation: Invitation) -> None:
    """Mails a new link, which ends the old one and is open for seven days again. Errors as for `invite_member`."""
    actor.require("member:create")
    require_reach(actor, invitation.role, "member:create")
    with transaction.atomic():
        invitation = _locked(actor, invitation)
        if invitation.expires_at <= timezone.now():
            require_room(actor.organization, "max_members")
        invitation.invited_by = actor.user
        secret = _open(invitation)
        record(actor, "member.invited", invitation)
    _mail(invitation, secret)


@transaction.atomic
def withdraw_invitation(actor: Actor, *, invitation: Invitation) -> None:
    """Needs member:delete and a role at least as high."""
    actor.require("member:delete")
    require_reach(actor, invitation.role, "member:delete")
    invitation = _locked(actor, invitation)
    record(actor, "member.invitation-withdrawn", invitation)
    invitation.delete()


def open_invitation(secret: str) -> Invitation:
    """The invitation that the link's secret opens. Raises NoInvitation."""
    rows = Invitation.objects.select_related("organization", "invited_by")
    invitation = rows.filter(digest=_digest(secret), expires_at__gt=timezone.now()).first()
    if invitation is None:
        raise NoInvitation
    return invitation


@transaction.atomic
def accept_invitation(user: User, *, secret: str, ip: str | None = None) -> Membership:
    """Makes `user` a member. Raises NoInvitation, Conflict where it was sent to another address, LimitReached."""
    Organization.objects.select_for_update().get(pk=open_invitation(secret).organization_id)
    invitation = open_invitation(secret)
    if invitation.email != user.email:
        raise Conflict(
            f"This invitation was sent to {invitation.email}, and you are signed in as {user.email}.",
            f"Sign out, and open the link again as {invitation.email}.",
        )
    invitation.delete()
    require_room(invitation.organization, "max_members")
    membership = Membership.objects.create(organization=invitation.organization, user=user, role=invitation.role)
    record(membership.as_actor(ip), "member.joined", membership, {"role": [None, membership.role]})
    return membership


def _require_new(invitation: Invitation) -> None:
    organization, email = invitation.organization, invitation.email
    if organization.memberships.filter(user__email=email).exists():
        raise Invalid({"email": [f"{email} is already a member."]})
    Invitation.objects.filter(organization=organization, email=email, expires_at__lte=timezone.now()).delete()
    if organization.invitations.filter(email=email).exists():
        raise Invalid({"email": [f"{email} is already invited. Send that invitation again, or withdraw it."]})


def _open(invitation: Invitation) -> str:
    secret = secrets.token_urlsafe(32)
    invitation.digest = _digest(secret)
    invitation.expires_at = timezone.now() + INVITATION_LIFE
    invitation.full_clean()
    invitation.save()
    return secret


def _locked(actor: Actor, invitation: Invitation) -> Invitation:
    Organization.objects.select_for_update().get(pk=actor.organization.pk)
    found = Invitation.objects.visible_to(actor).select_related("organization").filter(pk=invitation.pk).first()
    if found is None:
        raise Conflict("This invitation is no longer open.", "Reload the page to see which are.")
    return found


def _mail(invitation: Invitation, secret: str) -> None:
    link = settings.BASE_URL + reverse("invitation", args=[secret])
    text = render_to_string("organizations/mail/invitation.txt", {"invitation": invitation, "link": link})
    subject = (
        f"{settings.ACCOUNT_EMAIL_SUBJECT_PREFIX}You are invited to {' '.join(str(invitation.organization).split())}"
    )
    try:
        send_mail(subject, text, None, [invitation.email])
    except (OSError, SMTPException) as error:
        raise Error(
            "The invitation is open, but its mail could not be sent.", "Check EMAIL_URL, then send it again."
        ) from error


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
