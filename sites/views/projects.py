"""The pages of projects."""

from typing import Any, cast

from django.contrib import messages
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import cached_property

from organizations.pages import ActionFormView, ActionView, ListPage, PageMixin
from sites.actions import projects as actions
from sites.forms import AddSitesForm, ProjectForm
from sites.models import Deployment, Project, ProjectQuerySet, Site
from sites.views.sites import LATEST, listed_sites


class ProjectList(ListPage[Project]):
    model = Project
    ability = "project:read"
    template_name = "projects/list.html"
    search_fields = ("name", "description")

    def get_queryset(self) -> QuerySet[Project]:
        return cast(ProjectQuerySet, super().get_queryset()).with_sites_count(self.actor)


class ProjectCreate(ActionFormView):
    ability = "project:create"
    form_class = ProjectForm
    template_name = "projects/create.html"

    def perform(self, form: Form) -> HttpResponse:
        return redirect(actions.create_project(self.actor, **form.cleaned_data))


class ProjectPage(PageMixin):
    """What all pages of one project share."""

    ability = "project:read"
    tab = ""

    @cached_property
    def project(self) -> Project:
        return get_object_or_404(Project.objects.visible_to(self.actor), pk=self.kwargs["pk"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        parent = getattr(super(), "get_context_data", dict)
        context: dict[str, Any] = parent(project=self.project, tab=self.tab, **kwargs)
        return context


class ProjectDetail(ProjectPage, ListPage[Site]):
    """The project's sites, with search, and what was deployed of them lately."""

    model = Site
    tab = "overview"
    template_name = "projects/detail.html"
    search_fields = ("domain", "server__name", "repository_url")

    def get_queryset(self) -> QuerySet[Site]:
        return listed_sites(super().get_queryset().filter(project=self.project))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        sites = Site.objects.visible_to(self.actor).filter(project=self.project)
        deployments = Deployment.objects.filter(site__in=sites, job__isnull=False)
        latest = deployments.select_related("site__server", "job", "release").order_by("-id")[:LATEST]
        return super().get_context_data(deployments=latest, **kwargs)


class ProjectSettings(ProjectPage, ActionFormView):
    tab = "settings"
    form_class = ProjectForm
    template_name = "projects/settings.html"

    def get_initial(self) -> dict[str, Any]:
        return {"name": self.project.name, "description": self.project.description}

    def perform(self, form: Form) -> HttpResponse:
        actions.update_project(self.actor, project=self.project, **form.cleaned_data)
        messages.success(self.request, "The project is saved.")
        return redirect("project_settings", self.project.pk)


class AddSites(ProjectPage, ActionFormView):
    ability = "project:update"
    form_class = AddSitesForm
    template_name = "projects/add_sites.html"

    @cached_property
    def others(self) -> list[Site]:
        """The sites that are in another project, or in none."""
        sites = Site.objects.visible_to(self.actor).exclude(pk__in=self.project.sites.all())
        return list(sites.select_related("server", "project").only("domain", "server__name", "project__name"))

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "sites": self.others}

    def perform(self, form: Form) -> HttpResponse:
        actions.assign_sites(self.actor, project=self.project, **form.cleaned_data)
        return redirect(self.project)


class ProjectButton(ProjectPage, ActionView):
    def get_success_url(self) -> str:
        return self.project.get_absolute_url()


class RemoveSite(ProjectButton):
    """Takes a site out of the project; the site itself stays."""

    ability = "project:update"

    def perform(self) -> str:
        sites = Site.objects.visible_to(self.actor).filter(project=self.project)
        site = get_object_or_404(sites, pk=self.kwargs["site"])
        actions.assign_sites(self.actor, project=None, site_ids=[site.pk])
        return f"{site} is no longer in {self.project}."


class DeleteProject(ProjectButton):
    ability = "project:delete"

    @property
    def confirmation(self) -> str:
        return self.project.name

    def perform(self) -> str:
        name = self.project.name
        actions.delete_project(self.actor, project=self.project)
        return f"{name} is removed. Its sites stay as they are."

    def get_success_url(self) -> str:
        is_there = Project.objects.filter(pk=self.kwargs["pk"]).exists()
        return super().get_success_url() + "/settings" if is_there else "/projects"
