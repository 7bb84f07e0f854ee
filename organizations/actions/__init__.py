"""Every change of state of organizations, their members and invitations."""

from organizations.actions.account_events import record_account_event, record_failed_sign_in
from organizations.actions.invitations import (
    accept_invitation,
    invite_member,
    open_invitation,
    resend_invitation,
    withdraw_invitation,
)
from organizations.actions.invoices import issue_invoice, pay_invoice, void_invoice
from organizations.actions.members import change_role, leave_organization, remove_member, roles_within_reach
from organizations.actions.organizations import (
    add_organization,
    create_organization,
    rename_organization,
    set_plan,
)
from organizations.actions.registration import RegistrationClosed, register, register_invited

__all__ = [
    "RegistrationClosed",
    "accept_invitation",
    "add_organization",
    "change_role",
    "create_organization",
    "invite_member",
    "issue_invoice",
    "leave_organization",
    "open_invitation",
    "pay_invoice",
    "record_account_event",
    "record_failed_sign_in",
    "register",
    "register_invited",
    "remove_member",
    "rename_organization",
    "resend_invitation",
    "roles_within_reach",
    "set_plan",
    "void_invoice",
    "withdraw_invitation",
]
