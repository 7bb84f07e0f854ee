"""Databases of servers, and their users."""

from typing import Any

from django.db.models import F, FilteredRelation, OuterRef, Q, QuerySet
from django.http import HttpRequest

from deploynix.api.exceptions import NotFound
from deploynix.api.operations import Maybe, operation
from deploynix.api.views import Response
from deploynix.expressions import RowCount
from servers import actions
from servers.api.database_serializers import (
    PASSWORD,
    DatabaseInput,
    DatabaseOutput,
    DatabaseUserInput,
    DatabaseUserOutput,
    PasswordInput,
    PrivilegesInput,
)
from servers.api.serializers import ServerOutput
from servers.api.views import ServerView
from servers.checks import open_job
from servers.models import Database, DatabaseUser, Grant

_MAYBE_PASSWORD = {"password": Maybe(PASSWORD)}
CREATING = "The database is being created."
DELETING = "The database is being deleted."
READING = "The databases are being read."
LETTING_IN = "The user is being let in."
CHANGING = "The user is being changed."
TAKING_OUT = "The user is being taken out."
NEW_PASSWORD = "The password is being changed."  # noqa: S105 -- a message


class DatabaseView(ServerView):
    """What the views of databases share."""

    tag = "Databases"

    def databases(self, server: str) -> QuerySet[Database]:
        return Database.objects.filter(server=self.find(self.servers, server))

    def database(self, server: str, database: str) -> Database:
        return self.find(self.databases(server).select_related("server"), database)

    def grant(self, server: str, database: str, user: str) -> Grant:
        known = Grant.objects.filter(database=self.database(server, database), user=user)
        grant = known.select_related("database__server", "user").first()
        if grant is None:
            raise NotFound
        return grant

    def database_answer(self, database: Database) -> dict[str, Any]:
        return self.row(with_users_count(Database.objects.filter(pk=database.pk)), DatabaseOutput)

    def user_answer(self, grant: Grant) -> dict[str, Any]:
        return self.row(users_of(grant.database).filter(pk=grant.user_id), DatabaseUserOutput)


def with_users_count(databases: QuerySet[Database]) -> QuerySet[Database]:
    return databases.annotate(users_count=RowCount(Grant.objects.filter(database=OuterRef("pk")).values("pk")))


def users_of(database: Database) -> QuerySet[DatabaseUser]:
    """With what each of them may do there."""
    here = FilteredRelation("grants", condition=Q(grants__database=database))
    users = DatabaseUser.objects.annotate(here=here).exclude(here=None)
    return users.annotate(privileges=F("here__privileges"), status=F("here__status"))


class Databases(DatabaseView):
    abilities = {"GET": "database:read", "POST": "database:create"}

    @operation("List databases", page=DatabaseOutput)
    def get(self, request: HttpRequest, server: str) -> Response:
        """Those that were made here, and those that were found on the server when it was last read."""
        return self.page(with_users_count(self.databases(server)), DatabaseOutput)

    @operation(
        "Create a database",
        input=DatabaseInput,
        one=DatabaseOutput,
        status=202,
        job=True,
        message=CREATING,
        extra=_MAYBE_PASSWORD,
    )
    def post(self, request: HttpRequest, server: str) -> Response:
        """With `user`, that user is let in: one that the server has for its other databases, or a new one, whose
        `password` is shown only here."""
        row = self.find(self.servers, server)
        database, password = actions.create_database(self.actor, server=row, **self.input(DatabaseInput))
        answer = {"message": CREATING, "data": self.database_answer(database), "password": None}
        job = self.job_address(open_job(database, "create_database"))
        return Response({**answer, "job": job}, 202, once={"password": password or None})


class SyncDatabases(DatabaseView):
    abilities = {"POST": "database:read"}

    @operation("Read the databases of a server", one=ServerOutput, status=202, job=True, message=READING)
    def post(self, request: HttpRequest, server: str) -> Response:
        """Finds what was made on the server by hand, and what is gone from there, and reads the sizes. It happens by
        itself once a day."""
        row = self.find(self.servers, server)
        job = actions.sync_databases(self.actor, server=row)
        return self.accepted(READING, job=job, data=self.answer_of(row))


class DatabaseDetail(DatabaseView):
    abilities = {"GET": "database:read", "DELETE": "database:delete"}

    @operation("Show a database", one=DatabaseOutput)
    def get(self, request: HttpRequest, server: str, database: str) -> Response:
        return self.one(with_users_count(self.databases(server).filter(pk=database)), DatabaseOutput)

    @operation("Delete a database", one=DatabaseOutput, status=202, job=True, message=DELETING)
    def delete(self, request: HttpRequest, server: str, database: str) -> Response:
        """Deletes it from the server with all that is in it, and users who may use no other database. Its schedules of
        backups go along; its backups stay."""
        row = self.database(server, database)
        job = actions.delete_database(self.actor, database=row)
        return self.accepted(DELETING, job=job, data=self.database_answer(row))


class DatabaseUsers(DatabaseView):
    abilities = {"GET": "database:read", "POST": "database:update"}

    @operation("List the users of a database", page=DatabaseUserOutput)
    def get(self, request: HttpRequest, server: str, database: str) -> Response:
        return self.page(users_of(self.database(server, database)), DatabaseUserOutput)

    @operation(
        "Let a user in to a database",
        input=DatabaseUserInput,
        one=DatabaseUserOutput,
        status=202,
        job=True,
        message=LETTING_IN,
        extra=_MAYBE_PASSWORD,
    )
    def post(self, request: HttpRequest, server: str, database: str) -> Response:
        """The `password` of a new user is shown only here. One that the server has already keeps theirs. Users sign in
        from the server itself."""
        row, values = self.database(server, database), self.input(DatabaseUserInput)
        job, password = actions.create_database_user(self.actor, database=row, **values)
        data = self.user_answer(Grant.objects.get(database=row, user__name=values["name"]))
        answer = {"message": LETTING_IN, "data": data, "password": None, "job": self.job_address(job)}
        return Response(answer, 202, once={"password": password or None})


class DatabaseUserDetail(DatabaseView):
    abilities = {"GET": "database:read", "PUT": "database:update", "DELETE": "database:update"}

    @operation("Show a user of a database", one=DatabaseUserOutput)
    def get(self, request: HttpRequest, server: str, database: str, user: str) -> Response:
        return self.one(users_of(self.database(server, database)).filter(pk=user), DatabaseUserOutput)

    @operation(
        "Change what a user may do in a database",
        input=PrivilegesInput,
        one=DatabaseUserOutput,
        status=202,
        job=True,
        message=CHANGING,
    )
    def put(self, request: HttpRequest, server: str, database: str, user: str) -> Response:
        """Programs that are signed in as the user have to sign in again."""
        grant = self.grant(server, database, user)
        job = actions.update_database_user(self.actor, grant=grant, **self.input(PrivilegesInput))
        return self.accepted(CHANGING, job=job, data=self.user_answer(grant))

    @operation("Take a user out of a database", one=DatabaseUserOutput, status=202, job=True, message=TAKING_OUT)
    def delete(self, request: HttpRequest, server: str, database: str, user: str) -> Response:
        """A user who may use no other database is removed from the server."""
        grant = self.grant(server, database, user)
        job = actions.delete_database_user(self.actor, grant=grant)
        return self.accepted(TAKING_OUT, job=job, data=self.user_answer(grant))


class DatabasePassword(DatabaseView):
    abilities = {"POST": "database:update"}

    @operation(
        "Change the password of a database user",
        input=PasswordInput,
        one=DatabaseUserOutput,
        status=202,
        job=True,
        message=NEW_PASSWORD,
        extra={"password": PASSWORD},
    )
    def post(self, request: HttpRequest, server: str, database: str, user: str) -> Response:
        """For all databases that the user may use. The new `password` is shown only here."""
        grant = self.grant(server, database, user)
        job, password = actions.change_database_password(self.actor, grant=grant, **self.input(PasswordInput))
        answer = {"message": NEW_PASSWORD, "data": self.user_answer(grant), "job": self.job_address(job)}
        return Response(answer, 202, once={"password": password})
