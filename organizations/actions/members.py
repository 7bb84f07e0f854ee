"""Who belongs to an organization, in which role. There is an owner at all times."""

from django.db import transaction

from accounts.models import User
from audit.log import record
from deploynix.actor import Actor
from deploynix.errors import Conflict, Denied, Invalid
from organizations.models import Invitation, Membership, Organization, Role
from organizations.signals import member_removed

# The lowest first.
_RANKS = {role: rank for rank, role in enumerate(reversed(Role.values))}


@transaction.atomic
def change_role(actor: Actor, *, membership: Membership, role: str) -> Membership:
    """Needs member:update, and a role at least as high as both the old and the new one.

    Raises Denied, Invalid for a role that does not exist, and Conflict for the last owner.
    """
    actor.require("member:update")
    membership = _locked(actor, membership)
    require_reach(actor, membership.role, "member:update")
    require_reach(actor, role, "member:update")
    before, membership.role = membership.role, role
    if before == role:
        return membership
    membership.save(update_fields=["role"])
    _require_owner(membership.organization, "be given another role")
    _withdraw_invitations(actor, membership.user, above=role)
    record(actor, "member.role-changed", membership, {"role": [before, role]})
    return membership


@transaction.atomic
def remove_member(actor: Actor, *, membership: Membership) -> None:
    """Needs member:delete and a role at least as high. Raises Denied, and Conflict for the last owner.

    Invitations that the person sent are withdrawn, so that none of them is a way back in.
    """
    actor.require("member:delete")
    membership = _locked(actor, membership)
    require_reach(actor, membership.role, "member:delete")
    _withdraw_invitations(actor, membership.user)
    record(actor, "member.removed", membership, {"role": [membership.role, None]})
    _delete(membership, "be removed")


@transaction.atomic
def leave_organization(actor: Actor) -> None:
    """Takes the acting person out of the organization. Raises Conflict for the last owner."""
    membership = _locked(actor, Membership.objects.get(organization=actor.organization, user=actor.user))
    record(actor, "member.left", membership, {"role": [membership.role, None]})
    _delete(membership, "leave")


def roles_within_reach(actor: Actor) -> list[Role]:
    """The roles that the actor may give and take, the highest first."""
    return [role for role in Role if not _is_above(actor, role)]


def require_reach(actor: Actor, role: str, ability: str) -> None:
    """Raises Denied where `role` is above the actor's own, Invalid where there is no such role."""
    if role not in Role.values:
        raise Invalid({"role": ["The selected role is invalid."]})
    if _is_above(actor, role):
        raise Denied(ability, f"Your role, {actor.role}, is below {role}.", f"Ask someone who is {role}.")


def _locked(actor: Actor, membership: Membership) -> Membership:
    """The membership as it is now. Until the transaction ends, other changes of members wait."""
    Organization.objects.select_for_update().get(pk=actor.organization.pk)
    rows = Membership.objects.visible_to(actor).select_related("user", "organization")
    found = rows.filter(pk=membership.pk).first()
    if found is None:
        raise Conflict("This person is no longer a member.", "Reload the page to see who is.")
    return found


def _delete(membership: Membership, what: str) -> None:
    organization, user = membership.organization, membership.user
    membership.delete()
    _require_owner(organization, what)
    member_removed.send(sender=Membership, organization=organization, user=user)


def _require_owner(organization: Organization, what: str) -> None:
    if not organization.memberships.filter(role=Role.OWNER).exists():
        raise Conflict(f"The last owner cannot {what}.", "Make someone else an owner first.")


def _is_above(actor: Actor, role: str) -> bool:
    return bool(actor.role) and _RANKS[role] > _RANKS[actor.role]


def _withdraw_invitations(actor: Actor, sender: User, above: str = "") -> None:
    """Those that `sender` has open, or where a role is given, those to a higher one."""
    for invitation in Invitation.objects.visible_to(actor).filter(invited_by=sender):
        if not above or _RANKS[invitation.role] > _RANKS[above]:
            record(actor, "member.invitation-withdrawn", invitation)
            invitation.delete()
