"""The pages of servers."""

from abc import ABC, abstractmethod
from typing import Any, cast

from django.contrib import messages
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from jobs.models import Job
from organizations.pages import ActionFormView, ListPage, PageMixin
from servers import actions
from servers.checks import open_job, services
from servers.forms.servers import NewServer, ServerSettings
from servers.models import Comparison, LogName, LogReading, Server, ServerQuerySet

LATEST_JOBS = 25


class ServerList(ListPage[Server]):
    model = Server
    ability = "server:read"
    template_name = "servers/list.html"
    search_fields = ("name", "ip_address")

    def get_queryset(self) -> QuerySet[Server]:
        servers = cast(ServerQuerySet, super().get_queryset())
        return servers.with_sites_count().defer("private_key", "login_key")


class ServerCreate(ActionFormView):
    ability = "server:create"
    form_class = NewServer
    template_name = "servers/create.html"

    def perform(self, form: Form) -> HttpResponse:
        return redirect(actions.create_server(self.actor, **form.cleaned_data))


class ServerPage(PageMixin):
    """What all pages of one server share."""

    ability = "server:read"
    tab = ""
    template_name = ""

    @property
    def server(self) -> Server:
        return get_object_or_404(Server.objects.visible_to(self.actor), pk=self.kwargs["pk"])

    def show(self, server: Server, part: str = "", **context: Any) -> HttpResponse:
        """The page, or for htmx the part of it that changes."""
        is_part = part and self.request.headers.get("HX-Request") == "true"
        context |= {"server": server, "tab": self.tab}
        return render(self.request, part if is_part else self.template_name, context)


class ServerDetail(ServerPage):
    tab = "overview"
    template_name = "servers/detail.html"

    def get(self, request: HttpRequest, pk: str) -> HttpResponse:
        # Before the row itself, so that what ends in between is shown as ended: then nothing asks again.
        jobs = list(Job.objects.open().about(Server(pk=pk)).order_by("id"))
        server = self.server
        return self.show(
            server,
            "servers/state.html",
            jobs=jobs,
            sites=server.sites.order_by("domain"),
            services=services(server),
        )


class ServerConfiguration(ServerPage):
    tab = "configuration"
    template_name = "servers/configuration.html"

    def get(self, request: HttpRequest, pk: str) -> HttpResponse:
        server = self.server
        # Before what it finds out, so that what ends in between is shown as ended: then nothing asks again.
        job = open_job(server, "check_configuration") or open_job(server, "apply_configuration")
        comparison = Comparison.objects.filter(server=server).first()
        return self.show(server, "servers/comparison.html", comparison=comparison, job=job)


class ServerLogs(ServerPage):
    """`?name=` chooses the log. The newest reading is shown at once, and replaced when a fresh one is there."""

    ability = "log:read"
    tab = "logs"
    template_name = "servers/logs.html"

    def get(self, request: HttpRequest, pk: str) -> HttpResponse:
        server = self.server
        names = [name for name in LogName if name != LogName.PHP or server.php_version]
        name = request.GET.get("name", "")
        name = name if name in names else LogName.NGINX_ERROR.value
        job = actions.refresh_log(self.actor, server=server, name=name)
        reading = LogReading.objects.filter(server=server, name=name).first()
        return self.show(server, "servers/log.html", names=names, name=name, reading=reading, job=job)


class ServerJobs(ServerPage):
    tab = "jobs"
    template_name = "servers/jobs.html"

    def get(self, request: HttpRequest, pk: str) -> HttpResponse:
        server = self.server
        return self.show(server, jobs=Job.objects.about(server).without_routine().order_by("-id")[:LATEST_JOBS])


class ServerEdit(ServerPage, ActionFormView):
    tab = "settings"
    template_name = "servers/settings.html"

    def get_form(self, form_class: Any = None) -> Form:
        return ServerSettings.of(self.server, self.request.POST or None)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(server=self.server, tab=self.tab, **kwargs)

    def perform(self, form: Form) -> HttpResponse:
        server = actions.update_server(self.actor, server=self.server, **form.cleaned_data)
        messages.success(self.request, "The server is saved.")
        return redirect("server_settings", server.pk)


class ServerWork(ABC, ServerPage):
    """A button that starts a job, and leads to its page."""

    ability = "server:update"

    @abstractmethod
    def start(self, server: Server) -> Job:
        """Calls the action."""

    def post(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        return redirect("job_detail", self.start(self.server).pk)


class ProvisionServer(ServerWork):
    def start(self, server: Server) -> Job:
        return actions.provision_server(self.actor, server=server)


class RestartServer(ServerWork):
    def start(self, server: Server) -> Job:
        return actions.restart_server(self.actor, server=server, what=self.kwargs["what"])


class ApplyConfiguration(ServerWork):
    def start(self, server: Server) -> Job:
        return actions.apply_configuration(self.actor, server=server)


class AcceptHostKey(ServerWork):
    def start(self, server: Server) -> Job:
        return actions.accept_host_key(self.actor, server=server, fingerprint=self.request.POST.get("fingerprint", ""))


class CheckConfiguration(ServerPage):
    def post(self, request: HttpRequest, pk: str) -> HttpResponse:
        actions.check_configuration(self.actor, server=self.server)
        return redirect("server_configuration", pk)


class DeleteServer(ServerPage):
    ability = "server:delete"

    def post(self, request: HttpRequest, pk: str) -> HttpResponse:
        server = self.server
        if request.POST.get("confirm", "").strip() != server.name:
            messages.error(request, "The name that was typed is not the server's. Nothing was removed.")
            return redirect("server_settings", pk)
        return redirect("job_detail", actions.delete_server(self.actor, server=server).pk)
