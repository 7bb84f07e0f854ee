"""The repositories on the page of their Git provider's credential."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import cached_property

from deploynix.errors import Error
from organizations.pages import ActionView, FormErrorsMixin
from providers import catalogue
from providers.models import Credential
from providers.views import CredentialPage
from repositories import actions
from repositories.forms import ConnectForm
from repositories.models import GitRepository

LONGEST_SEARCH, LONGEST_PAGE = 255, 1024


class ConnectRepository(CredentialPage, FormErrorsMixin[ConnectForm]):
    """`?search=` looks through what the account offers, `?page=` is what the provider calls a page of it."""

    ability = "provider:create"
    form_class = ConnectForm

    def get_template_names(self) -> list[str]:
        is_part = self.request.headers.get("HX-Request") == "true"
        return ["repositories/offered.html" if is_part else "repositories/connect.html"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        search = self.request.GET.get("search", "").strip()[:LONGEST_SEARCH]
        page = self.request.GET.get("page", "")[:LONGEST_PAGE]
        offered = offered_repositories(self.credential, search, page)
        return super().get_context_data(search=search, page=page, **offered, **kwargs)

    def perform(self, form: ConnectForm) -> HttpResponse:
        repository = actions.connect_repository(self.actor, credential=self.credential, **form.cleaned_data)
        messages.success(self.request, f"{repository} is connected. Its provider is being asked about it.")
        return redirect(repository)


class RepositoryPage(CredentialPage):
    """What is done with one of the credential's repositories."""

    @cached_property
    def repository(self) -> GitRepository:
        rows = GitRepository.objects.visible_to(self.actor).filter(credential=self.credential)
        return get_object_or_404(rows, pk=self.kwargs["repository"])


class RepositoryRow(RepositoryPage):
    """A part of the page, which asks for itself again while the repository is being read."""

    def get(self, request: HttpRequest, **_: Any) -> HttpResponse:
        context = {"credential": self.credential, "repository": self.repository, "actor": self.actor}
        return render(request, "repositories/row.html", context)


class RepositoryButton(RepositoryPage, ActionView):
    def get_success_url(self) -> str:
        return self.credential.get_absolute_url()


class ReadRepository(RepositoryButton):
    ability = "provider:update"

    def perform(self) -> str:
        actions.update_repository(self.actor, repository=self.repository)
        return f"{self.repository} is being read."


class DisconnectRepository(RepositoryButton):
    ability = "provider:delete"

    def perform(self) -> str:
        actions.disconnect_repository(self.actor, repository=self.repository)
        return f"{self.repository} is disconnected. Its deploy keys stay at the provider."


def offered_repositories(credential: Credential, search: str, page: str) -> dict[str, Any]:
    """`offered`, rows as the provider tells them, each with `is_connected`, and `next_page`; or the `failure`."""
    try:
        found = catalogue.repositories(credential, search, page)
    except Error as error:
        return {"failure": error}
    names = GitRepository.objects.filter(credential=credential).values_list("full_name", flat=True)
    connected = {name.lower() for name in names}
    offered = [{**row, "is_connected": row["full_name"].lower() in connected} for row in found["repositories"]]
    return {"offered": offered, "next_page": found["next_page"]}
