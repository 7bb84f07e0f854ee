"""The page of a site's environment: names, new values, and a value where somebody may read it."""

from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property

from jobs.models import Job
from organizations.pages import ActionFormView, ActionView
from sites.actions import environment as actions
from sites.forms import ValueForm, VariableForm
from sites.models import EnvironmentVariable
from sites.views.sites import SitePage, SiteWork

WHEN = "The next deploy, or applying the configuration of the server, takes the change there."


class EnvironmentPage(SitePage):
    ability = "env:read"
    tab = "environment"

    @cached_property
    def variable(self) -> EnvironmentVariable:
        return get_object_or_404(EnvironmentVariable, pk=self.kwargs["variable"], site=self.site)

    def get_success_url(self) -> str:
        return f"{self.site.get_absolute_url()}/environment"


class Environment(EnvironmentPage, ActionFormView):
    template_name = "sites/environment.html"
    form_class = VariableForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        variables = self.site.environment.order_by("name").defer("value")
        return super().get_context_data(variables=variables, **kwargs)

    def perform(self, form: Form) -> None:
        variable = actions.create_environment_variable(self.actor, site=self.site, **form.cleaned_data)
        messages.success(
            self.request,
            f"{variable} is added. {WHEN}",
        )


class Variable(EnvironmentPage, ActionFormView):
    template_name = "sites/variable.html"
    form_class = ValueForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(variable=self.variable, **kwargs)

    def perform(self, form: Form) -> None:
        actions.update_environment_variable(self.actor, variable=self.variable, **form.cleaned_data)
        messages.success(
            self.request,
            f"{self.variable} is changed. {WHEN}",
        )


class RevealVariable(EnvironmentPage):
    """Answers a POST with the page itself: a value is in no session, and in no history."""

    ability = "env:reveal"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, **_: str) -> HttpResponse:
        value = actions.reveal_environment_variable(self.actor, variable=self.variable)
        response = self.show("sites/variable.html", variable=self.variable, value=value, form=ValueForm())
        response["Cache-Control"] = "no-store"
        return response


class DeleteVariable(EnvironmentPage, ActionView):
    ability = "env:update"

    def perform(self) -> str:
        actions.delete_environment_variable(self.actor, variable=self.variable)
        return f"{self.variable} is removed. {WHEN}"


class PullEnvironment(SiteWork):
    ability = "env:update"

    def start(self) -> Job:
        return actions.pull_environment(self.actor, site=self.site)
