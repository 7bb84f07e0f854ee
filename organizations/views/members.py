"""Who belongs to the organization, and who is invited to."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.functional import cached_property

from deploynix.mail import CONSOLE
from organizations.actions import (
    change_role,
    invite_member,
    remove_member,
    resend_invitation,
    roles_within_reach,
    withdraw_invitation,
)
from organizations.forms import InvitationForm, RoleForm
from organizations.models import Invitation, Membership, Role
from organizations.pages import ActionFormView, ActionView, ListPage, PageMixin


class MembersView(ListPage[Membership]):
    ability = "member:read"
    model = Membership
    template_name = "organizations/members.html"
    search_fields = ("user__name", "user__email")
    ordering = "created_at"

    def get_queryset(self) -> QuerySet[Membership]:
        return super().get_queryset().select_related("user")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        invitations = Invitation.objects.visible_to(self.actor).select_related("invited_by").order_by("created_at")
        return super().get_context_data(invitations=invitations, now=timezone.now(), **kwargs)


class InviteView(ActionFormView):
    ability = "member:create"
    template_name = "organizations/invite.html"
    form_class = InvitationForm
    success_url = "settings_members"
    initial = {"role": Role.DEVELOPER}

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "roles": roles_within_reach(self.actor)}

    def perform(self, form: InvitationForm) -> None:  # type: ignore[override]
        messages.success(self.request, _sent(invite_member(self.actor, **form.cleaned_data)))


class MemberMixin(PageMixin):
    @cached_property
    def membership(self) -> Membership:
        rows = Membership.objects.visible_to(self.actor).select_related("user")
        return get_object_or_404(rows, pk=self.kwargs["pk"])


class MemberView(MemberMixin, ActionFormView):
    ability = "member:read"
    template_name = "organizations/member.html"
    form_class = RoleForm
    success_url = "settings_members"

    def get_initial(self) -> dict[str, Any]:
        return {"role": self.membership.role}

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "roles": roles_within_reach(self.actor)}

    def perform(self, form: RoleForm) -> None:  # type: ignore[override]
        membership = change_role(self.actor, membership=self.membership, **form.cleaned_data)
        messages.success(self.request, f"{membership.user.get_full_name()} is {membership.get_role_display()} now.")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(membership=self.membership, **kwargs)


class RemoveMemberView(MemberMixin, ActionView):
    success_url = "settings_members"

    @property
    def confirmation(self) -> str:
        return self.membership.user.email

    def perform(self) -> str:
        remove_member(self.actor, membership=self.membership)
        return f"{self.membership.user.get_full_name()} is removed, and their tokens are revoked."


class InvitationMixin(PageMixin):
    @cached_property
    def invitation(self) -> Invitation:
        return get_object_or_404(Invitation.objects.visible_to(self.actor), pk=self.kwargs["pk"])


class ResendInvitationView(InvitationMixin, ActionView):
    success_url = "settings_members"

    def perform(self) -> str:
        resend_invitation(self.actor, invitation=self.invitation)
        return _sent(self.invitation)


class WithdrawInvitationView(InvitationMixin, ActionView):
    success_url = "settings_members"

    def perform(self) -> str:
        withdraw_invitation(self.actor, invitation=self.invitation)
        return f"The invitation of {self.invitation.email} is withdrawn."


def _sent(invitation: Invitation) -> str:
    if settings.EMAIL_BACKEND == CONSOLE:
        return f"{invitation.email} is invited. No mail server is set up: the link stands in this server's output."
    return f"{invitation.email} is invited by mail."
