"""Every change of state of organizations, their members and invitations."""

from organizations.actions.account_events import record_account_event, record_failed_sign_in
from organizations.actions.invitations import (
    accept_invitation,
    invite_member,
    open_invitation,
    resend_invitation,
    withdraw_invitation,
)
from organizations.actions.members import change_role, leave_organization, remove_member, roles_within_reach
from organizations.actions.organizations import create_organization, rename_organization, set_plan
from organizations.actions.registration import RegistrationClosed, register, register_invited

__all__ = [
    "RegistrationClosed",
    "accept_invitation",
    "change_role",
    "create_organization",
    "invite_member",
    "leave_organization",
    "open_invitation",
    "record_account_event",
    "record_failed_sign_in",
    "register",
    "register_invited",
    "remove_member",
    "rename_organization",
    "resend_invitation",
    "roles_within_reach",
    "set_plan",
    "withdraw_invitation",
]
