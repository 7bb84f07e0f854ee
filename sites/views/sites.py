"""The pages of sites."""

from abc import ABC, abstractmethod
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import cached_property

from deploynix.actor import Actor
from deploynix.errors import Conflict, Error
from jobs.models import Job
from organizations.pages import ActionFormView, ActionView, ListPage, PageMixin
from repositories.models import GitRepository
from servers import ssh
from servers.models import Server
from sites.actions import deployments, repositories
from sites.actions import sites as actions
from sites.forms import SiteForm
from sites.models import Project, Release, Site

LATEST = 10


def listed_sites(sites: QuerySet[Site]) -> QuerySet[Site]:
    """With what a table of sites shows, and without secrets."""
    rows: QuerySet[Site] = sites.with_last_deployment()  # type: ignore[attr-defined]
    return rows.select_related("server", "project").defer(
        "deploy_private_key", "server__private_key", "server__login_key"
    )


def offered_projects(actor: Actor) -> QuerySet[Project]:
    """Those that the actor may put sites into."""
    projects = Project.objects.visible_to(actor).order_by("name")
    return projects if actor.can("project:update") else projects.none()


class SiteList(ListPage[Site]):
    model = Site
    ability = "site:read"
    template_name = "sites/list.html"
    search_fields = ("domain", "server__name", "repository_url")

    def get_queryset(self) -> QuerySet[Site]:
        return listed_sites(super().get_queryset())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        has_servers = Server.objects.visible_to(self.actor).exists()
        return super().get_context_data(has_servers=has_servers, **kwargs)


class SiteCreate(ActionFormView):
    ability = "site:create"
    form_class = SiteForm
    template_name = "sites/create.html"

    @cached_property
    def server(self) -> Server:
        return get_object_or_404(Server.objects.visible_to(self.actor), pk=self.kwargs["server"])

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "projects": offered_projects(self.actor)}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(server=self.server, **kwargs)

    def perform(self, form: Form) -> HttpResponse:
        return redirect(actions.create_site(self.actor, server=self.server, **form.cleaned_data))


class SitePage(PageMixin):
    """What all pages of one site share."""

    ability = "site:read"
    tab = ""
    template_name = ""

    @cached_property
    def site(self) -> Site:
        sites = Site.objects.visible_to(self.actor).select_related("server", "current_release", "project")
        return get_object_or_404(sites, pk=self.kwargs["site"], server=self.kwargs["server"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        parent = getattr(super(), "get_context_data", dict)
        context: dict[str, Any] = parent(site=self.site, server=self.site.server, tab=self.tab, **kwargs)
        return context

    def show(self, template: str, **context: Any) -> HttpResponse:
        return render(self.request, template, self.get_context_data(**context))


class SiteDetail(SitePage):
    tab = "overview"

    def get(self, request: HttpRequest, **_: str) -> HttpResponse:
        is_part = request.headers.get("HX-Request") == "true"
        # Before the row itself, so that what ends in between is shown as ended: then nothing asks again.
        is_busy = Job.objects.open().filter(lane=Site(pk=self.kwargs["site"]).lane).exists()
        site = self.site
        releases = site.releases.served().filter(is_on_server=True).order_by("-id")
        return self.show(
            "sites/state.html" if is_part else "sites/detail.html",
            deployments=site.deployments.select_related("job", "release").order_by("-id")[:LATEST],
            releases=releases[:LATEST],
            scheduled=site.scheduled_deploy,
            fitting=repositories.fitting_repositories(self.actor, site),
            is_busy=is_busy,
        )


class SiteSettings(SitePage, ActionFormView):
    tab = "settings"
    template_name = "sites/settings.html"

    def get_form(self, form_class: Any = None) -> Form:
        return SiteForm.of(self.site, offered_projects(self.actor), self.request.POST or None)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        key = self.site.repository_host_key
        return super().get_context_data(fingerprint=ssh.fingerprint(key) if key else "", **kwargs)

    def perform(self, form: Form) -> HttpResponse:
        job = actions.update_site(self.actor, site=self.site, **form.cleaned_data)
        if job:
            return redirect("job_detail", job.pk)
        messages.success(self.request, "The site is saved. The next deploy takes the change.")
        return redirect("site_settings", self.site.server_id, self.site.pk)


class SiteWork(ABC, SitePage):
    """A button that starts a job, and leads to its page."""

    http_method_names = ["post"]

    @abstractmethod
    def start(self) -> Job | None:
        """Calls the action; None where nothing is left to be done."""

    def post(self, request: HttpRequest, **_: str) -> HttpResponse:
        try:
            job = self.start()
        except Error as error:
            if error.status not in (409, 422):
                raise
            messages.error(request, f"{error.message} {error.hint}".strip())
            return redirect(self.site)
        return redirect("job_detail", job.pk) if job else redirect("site_list")


class DeploySite(SiteWork):
    ability = "site:deploy"

    def start(self) -> Job | None:
        return deployments.deploy_site(self.actor, site=self.site, ref=self.request.POST.get("ref", "").strip()).job


class RollbackSite(SiteWork):
    ability = "site:rollback"

    def start(self) -> Job | None:
        release = get_object_or_404(Release, pk=self.kwargs["release"], site=self.site)
        return deployments.rollback_site(self.actor, site=self.site, release=release).job


class SetupDeployKey(SiteWork):
    ability = "site:update"

    def start(self) -> Job:
        rows = GitRepository.objects.visible_to(self.actor)
        repository = get_object_or_404(rows, pk=self.request.POST.get("repository", ""))
        return repositories.setup_deploy_key(self.actor, repository=repository, site=self.site)


class SuspendSite(SiteWork):
    ability = "site:suspend"

    def start(self) -> Job:
        return actions.suspend_site(self.actor, site=self.site)


class ResumeSite(SiteWork):
    ability = "site:suspend"

    def start(self) -> Job:
        return actions.resume_site(self.actor, site=self.site)


class DeleteSite(SiteWork):
    """`force` in the form forgets the site at once."""

    ability = "site:delete"

    def start(self) -> Job | None:
        if self.request.POST.get("confirm", "").strip() != self.site.domain:
            raise Conflict("The name that was typed is not the site's.", "Nothing was removed.")
        domain = self.site.domain
        job = actions.delete_site(self.actor, site=self.site, force="force" in self.kwargs)
        if job is None:
            messages.success(self.request, f"{domain} is removed.")
        return job


class SettingsButton(SitePage, ActionView):
    def get_success_url(self) -> str:
        return self.request.path.rpartition("/")[0] + "/settings"


class EnableZeroDowntime(SettingsButton):
    ability = "site:zero-downtime"

    def perform(self) -> str:
        actions.enable_zero_downtime(self.actor, site=self.site)
        return "From the next deploy on, each release goes live in one step."


class ForgetHostKey(SettingsButton):
    ability = "site:update"

    def perform(self) -> str:
        actions.forget_repository_host_key(self.actor, site=self.site)
        return "The next deploy pins the key that the repository's server shows then."
