"""The pages of applications."""

from typing import Any

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import cached_property

from domains import actions
from domains.forms import ApplicationForm, CredentialChoice
from domains.models import Application, Connection, State
from organizations.pages import ActionFormView, ActionView, ListPage, PageMixin
from providers.base import Kind
from providers.models import Credential


class ApplicationList(ListPage[Application]):
    model = Application
    ability = "provider:read"
    template_name = "applications/list.html"
    search_fields = ("name", "connections__domain")

    def get_queryset(self) -> QuerySet[Application]:
        standing = Q(connections__isnull=False) & ~Q(connections__state=State.DISCONNECTED)
        failing = Q(connections__state=State.FAILING)
        rows = Application.objects.filter(pk__in=super().get_queryset().values("pk"))
        return rows.annotate(
            domains_count=Count("connections", filter=standing), failing_count=Count("connections", filter=failing)
        ).order_by("-id")


class ApplicationCreate(ActionFormView):
    ability = "provider:create"
    form_class = ApplicationForm
    template_name = "applications/create.html"

    def perform(self, form: Form) -> HttpResponse:
        return redirect(actions.create_application(self.actor, **form.cleaned_data))


class ApplicationPage(PageMixin):
    """What all pages of one application share."""

    ability = "provider:read"
    tab = "domains"

    @cached_property
    def application(self) -> Application:
        return get_object_or_404(Application.objects.visible_to(self.actor), pk=self.kwargs["application"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        parent = getattr(super(), "get_context_data", dict)
        # The address has its id under the same name.
        context: dict[str, Any] = parent(**kwargs | {"application": self.application, "tab": self.tab})
        return context


class ApplicationDetail(ApplicationPage, ListPage[Connection]):
    """The domains that are connected to it, with search, and the credentials that it uses."""

    model = Connection
    template_name = "applications/detail.html"
    search_fields = ("domain",)

    def get_queryset(self) -> QuerySet[Connection]:
        return super().get_queryset().filter(application=self.application).select_related("credential")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            credentials=self.application.credentials.order_by("name"), form=choice_form(self), **kwargs
        )


class ApplicationSettings(ApplicationPage, ActionFormView):
    tab = "settings"
    form_class = ApplicationForm
    template_name = "applications/settings.html"

    def get_initial(self) -> dict[str, Any]:
        return {"name": self.application.name}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        standing = self.application.connections.standing().order_by("domain")
        return super().get_context_data(connections=standing, **kwargs)

    def perform(self, form: Form) -> HttpResponse:
        actions.update_application(self.actor, application=self.application, **form.cleaned_data)
        messages.success(self.request, "The application is saved.")
        return redirect("application_settings", self.application.pk)


class DeleteApplication(ApplicationPage, ActionView):
    ability = "provider:delete"

    @property
    def confirmation(self) -> str:
        return self.application.name

    def perform(self) -> str:
        name = self.application.name
        actions.delete_application(self.actor, application=self.application)
        return f"{name} is removed. Its credentials stay connected."

    def get_success_url(self) -> str:
        is_there = Application.objects.filter(pk=self.kwargs["application"]).exists()
        return f"{self.application.get_absolute_url()}/settings" if is_there else "/applications"


class UseCredential(ApplicationPage, ActionView):
    ability = "provider:update"

    def perform(self) -> str:
        rows = Credential.objects.visible_to(self.actor).filter(kind=Kind.DNS)
        credential = get_object_or_404(rows, pk=self.request.POST.get("credential_id", ""))
        actions.use_credential(self.actor, application=self.application, credential=credential)
        return f"{self.application} uses {credential}."

    def get_success_url(self) -> str:
        return self.application.get_absolute_url()


class DropCredential(UseCredential):
    def perform(self) -> str:
        credential = get_object_or_404(self.application.credentials, pk=self.kwargs["credential"])
        actions.drop_credential(self.actor, application=self.application, credential=credential)
        return f"{self.application} no longer uses {credential}. It stays connected."


def choice_form(page: ApplicationPage) -> CredentialChoice | None:
    """Of the DNS credentials those that the application does not use yet; None where there is none."""
    rows = Credential.objects.visible_to(page.actor).filter(kind=Kind.DNS)
    others = rows.exclude(pk__in=page.application.credentials.values("pk")).order_by("name")
    choices = [(row.pk, f"{row} ({row.declaration.label})") for row in others]
    return CredentialChoice(credentials=choices) if choices else None
