"""The page that schedules a deployment, and the button that cancels it."""

from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from organizations.pages import ActionFormView, ActionView
from sites.actions import schedule as actions
from sites.forms import ScheduleForm
from sites.views.sites import SitePage


class ScheduleDeploy(SitePage, ActionFormView):
    ability = "site:schedule"
    form_class = ScheduleForm
    template_name = "sites/schedule.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(scheduled=self.site.scheduled_deploy, now=timezone.now(), **kwargs)

    def perform(self, form: Form) -> HttpResponse:
        job = actions.schedule_deploy(self.actor, site=self.site, **form.cleaned_data)
        messages.success(self.request, f"The deployment begins on {job.run_after:%-d %b %Y at %H:%M} UTC.")
        return redirect(self.site)


class CancelScheduledDeploy(SitePage, ActionView):
    ability = "site:schedule"

    def perform(self) -> str:
        actions.cancel_scheduled_deploy(self.actor, site=self.site)
        return "The scheduled deployment is cancelled."

    def get_success_url(self) -> str:
        return self.site.get_absolute_url()
