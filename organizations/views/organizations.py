"""The organization's page, making another one, and going from one to the other."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from deploynix.client import client_ip
from organizations.actions import create_organization, leave_organization, rename_organization
from organizations.forms import NameForm
from organizations.middleware import SESSION_KEY
from organizations.models import Membership
from organizations.pages import ActionFormView, ActionView, FormErrorsMixin, SignedInMixin
from organizations.views.billing import plan_of


class OrganizationView(ActionFormView):
    template_name = "organizations/organization.html"
    form_class = NameForm

    def get_initial(self) -> dict[str, Any]:
        return {"name": self.actor.organization.name}

    def perform(self, form: NameForm) -> None:  # type: ignore[override]
        rename_organization(self.actor, name=form.cleaned_data["name"])
        messages.success(self.request, "The organization has its new name.")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**plan_of(self.actor), **kwargs)


class CreateOrganizationView(SignedInMixin, FormErrorsMixin[NameForm]):
    template_name = "organizations/create.html"
    form_class = NameForm

    def perform(self, form: NameForm) -> HttpResponse:
        membership = create_organization(self.user, name=form.cleaned_data["name"], ip=client_ip(self.request))
        self.request.session[SESSION_KEY] = membership.organization_id
        return redirect("dashboard")


class SwitchView(SignedInMixin):
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: str) -> HttpResponse:
        membership = get_object_or_404(Membership, user=self.user, organization_id=pk)
        request.session[SESSION_KEY] = membership.organization_id
        return redirect("dashboard")


class LeaveView(ActionView):
    success_url = "settings_organization"

    @property
    def confirmation(self) -> str:
        return self.actor.organization.name.strip()

    def perform(self) -> str:
        leave_organization(self.actor)
        return f"You left {self.actor.organization}."
