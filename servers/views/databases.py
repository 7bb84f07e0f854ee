"""The pages of databases."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import cached_property

from deploynix.actor import Actor
from jobs.models import Job
from organizations.pages import ActionView, FormErrorsMixin, ListPage, PageMixin
from servers import actions
from servers.actions.databases import SYNC
from servers.checks import open_job
from servers.forms.databases import DatabaseForm, DatabaseUserForm
from servers.models import Database, DatabaseType, Grant, Server
from servers.views.secret import keep_password, take_password


class ServerDatabasePage(PageMixin):
    """What the pages of a server's databases share."""

    ability = "database:read"
    tab = "databases"

    @cached_property
    def server(self) -> Server:
        servers = Server.objects.visible_to(self.actor).defer("private_key", "login_key")
        return get_object_or_404(servers, pk=self.kwargs["pk"])

    @property
    def is_part(self) -> bool:
        return self.request.headers.get("HX-Request") == "true"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(  # type: ignore[misc]
            server=self.server, tab=self.tab, **kwargs
        )
        return context


class ServerDatabases(ServerDatabasePage, ListPage[Database]):
    model = Database
    search_fields = ("name",)
    ordering = "name"

    def get_queryset(self) -> QuerySet[Database]:
        return super().get_queryset().filter(server=self.server).prefetch_related("grants__user")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        has_engine = self.server.database_type != DatabaseType.NONE
        context = super().get_context_data(has_engine=has_engine, job=open_job(self.server, SYNC), **kwargs)
        return context | {"is_busy": bool(context["job"]) or any(row.is_changing for row in context["page_obj"])}

    def get_template_names(self) -> list[str]:
        return ["servers/databases/table.html" if self.is_part else "servers/databases/list.html"]


class DatabaseCreate(ServerDatabasePage, FormErrorsMixin[DatabaseForm]):
    ability = "database:create"
    template_name = "servers/databases/create.html"

    def get_form(self, form_class: Any = None) -> DatabaseForm:
        return DatabaseForm(self.request.POST or None, server=self.server)

    def perform(self, form: DatabaseForm) -> HttpResponse:
        database, password = actions.create_database(self.actor, server=self.server, **form.cleaned_data)
        keep_password(self.request, database, form.cleaned_data["user"], password)
        return redirect(database)


class SyncDatabases(ServerDatabasePage, ActionView):
    def perform(self) -> str:
        actions.sync_databases(self.actor, server=self.server)
        return "The databases of the server are being read."

    def get_success_url(self) -> str:
        return reverse("server_databases", args=[self.server.pk])


class DatabasePage(ServerDatabasePage):
    """What all pages of one database share."""

    @cached_property
    def database(self) -> Database:
        return database_of(self.actor, self.server, self.kwargs["database"])


class DatabaseDetail(DatabasePage, FormErrorsMixin[DatabaseUserForm]):
    """The database and its users; what is posted lets another one in."""

    def get_template_names(self) -> list[str]:
        return ["servers/databases/users.html" if self.is_part else "servers/databases/detail.html"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.actor.require("database:update")
        return super().post(request, *args, **kwargs)

    def get_form(self, form_class: Any = None) -> DatabaseUserForm:
        return DatabaseUserForm(self.request.POST or None, server=self.server)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        # Before the row itself, so that what ends in between is shown as ended: then nothing asks again.
        jobs = list(Job.objects.open().about(Database(pk=self.kwargs["database"])).order_by("id"))
        secret = {} if self.is_part else take_password(self.request, self.database)
        grants = self.database.grants.select_related("user").order_by("user__name")
        is_busy = bool(jobs)
        return super().get_context_data(
            database=self.database, grants=grants, jobs=jobs, is_busy=is_busy, secret=secret, **kwargs
        )

    def perform(self, form: DatabaseUserForm) -> HttpResponse:
        _, password = actions.create_database_user(self.actor, database=self.database, **form.cleaned_data)
        keep_password(self.request, self.database, form.cleaned_data["name"], password)
        messages.success(self.request, f"{form.cleaned_data['name']} is being let in.")
        return redirect(self.database)


class DeleteDatabase(DatabasePage, ActionView):
    ability = "database:delete"

    @property
    def confirmation(self) -> str:
        return self.database.typed_name

    def perform(self) -> str:
        actions.delete_database(self.actor, database=self.database)
        return f"{self.database} is being deleted."

    def get_success_url(self) -> str:
        return reverse("server_databases", args=[self.server.pk])


class DatabaseUserAction(DatabasePage, ActionView):
    """What can be done with one user of the database."""

    ability = "database:update"

    @cached_property
    def grant(self) -> Grant:
        grants = self.database.grants.select_related("database__server", "user")
        return get_object_or_404(grants, user=self.kwargs["user"])

    def get_success_url(self) -> str:
        return self.database.get_absolute_url()


class UpdateDatabaseUser(DatabaseUserAction):
    def perform(self) -> str:
        actions.update_database_user(self.actor, grant=self.grant, privileges=self.kwargs["privileges"])
        return f"What {self.grant.user} may do is being changed."


class ChangeDatabasePassword(DatabaseUserAction):
    def perform(self) -> str:
        _, password = actions.change_database_password(self.actor, grant=self.grant)
        keep_password(self.request, self.database, self.grant.user.name, password)
        return f"{self.grant.user} is being given a new password."


class DeleteDatabaseUser(DatabaseUserAction):
    def perform(self) -> str:
        actions.delete_database_user(self.actor, grant=self.grant)
        return f"{self.grant.user} is being taken out."


def database_of(actor: Actor, server: Server, pk: str) -> Database:
    databases = Database.objects.visible_to(actor).filter(server=server).select_related("server")
    return get_object_or_404(databases, pk=pk)
