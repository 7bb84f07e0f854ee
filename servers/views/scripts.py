"""The pages of automation scripts."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import cached_property

from organizations.pages import ActionView, FormErrorsMixin, ListPage, PageMixin
from servers import actions
from servers.forms.scripts import RunForm, ScriptForm
from servers.models import AutomationScript, ScriptRun, Server


class ScriptList(ListPage[AutomationScript]):
    model = AutomationScript
    ability = "script:read"
    template_name = "servers/scripts/list.html"
    search_fields = ("name", "description")

    def get_queryset(self) -> QuerySet[AutomationScript]:
        return super().get_queryset().defer("body")


class ScriptCreate(PageMixin, FormErrorsMixin[ScriptForm]):
    ability = "script:create"
    template_name = "servers/scripts/create.html"

    def get_form(self, form_class: Any = None) -> ScriptForm:
        return ScriptForm(self.request.POST or None)

    def perform(self, form: ScriptForm) -> HttpResponse:
        return redirect(actions.create_script(self.actor, **form.values))


class ScriptPage(PageMixin):
    """What all pages of one script share."""

    ability = "script:read"

    @cached_property
    def script(self) -> AutomationScript:
        return get_object_or_404(AutomationScript.objects.visible_to(self.actor), pk=self.kwargs["pk"])


class ScriptDetail(ScriptPage, ListPage[ScriptRun]):
    """The script, and its runs in pages of 25."""

    model = ScriptRun

    def get_queryset(self) -> QuerySet[ScriptRun]:
        runs = super().get_queryset().filter(script=self.script).select_related("job", "server")
        return runs.defer("body", "secrets", "server__private_key", "server__login_key")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(script=self.script, **kwargs)
        return context | {"is_busy": any(run.job.is_open for run in context["page_obj"])}

    def get_template_names(self) -> list[str]:
        is_part = self.request.headers.get("HX-Request") == "true"
        return ["servers/scripts/runs.html" if is_part else "servers/scripts/detail.html"]


class ScriptEdit(ScriptPage, FormErrorsMixin[ScriptForm]):
    ability = "script:update"
    template_name = "servers/scripts/edit.html"

    def get_form(self, form_class: Any = None) -> ScriptForm:
        return ScriptForm.of(self.script, self.request.POST or None)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(script=self.script, **kwargs)

    def perform(self, form: ScriptForm) -> HttpResponse:
        script = actions.update_script(self.actor, script=self.script, **form.values)
        messages.success(self.request, "The script is saved.")
        return redirect(script)


class RunScript(ScriptPage, FormErrorsMixin[RunForm]):
    ability = "script:run"
    template_name = "servers/scripts/run.html"

    def get_form(self, form_class: Any = None) -> RunForm:
        return RunForm(self.request.POST or None, script=self.script, servers=self.servers)

    @cached_property
    def servers(self) -> list[Server]:
        known = Server.objects.visible_to(self.actor).defer("private_key", "login_key").order_by("name")
        return [server for server in known if server.is_ready]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(script=self.script, servers=self.servers, **kwargs)

    def perform(self, form: RunForm) -> HttpResponse:
        runs = actions.run_script(self.actor, script=self.script, **form.values)
        if len(runs) == 1:
            return redirect("job_detail", runs[0].job_id)
        messages.success(self.request, f"The script is queued on {len(runs)} servers.")
        return redirect(self.script)


class DeleteScript(ScriptPage, ActionView):
    ability = "script:delete"
    success_url = "script_list"

    @property
    def confirmation(self) -> str:
        return self.script.name

    def perform(self) -> str:
        actions.delete_script(self.actor, script=self.script)
        return f"{self.script.name} is removed. What was run stays on the servers, and in their jobs."
