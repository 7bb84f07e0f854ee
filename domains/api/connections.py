"""Domains that are connected to applications."""

from typing import Any

from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest

from deploynix.api.operations import Maybe, operation
from deploynix.api.serializers import JobAddressOutput
from deploynix.api.views import Response
from deploynix.errors import Invalid
from domains import actions
from domains.actions.connections import open_job
from domains.api.connection_serializers import (
    ApplyInput,
    ConflictOutput,
    ConnectionInput,
    ConnectionOutput,
    ConnectionQuery,
    DisconnectInput,
    WantedRecordOutput,
)
from domains.api.views import ApplicationView
from domains.models import Connection
from providers.base import Kind
from providers.models import Credential

PARTS = {"records": [WantedRecordOutput], "conflicts": [ConflictOutput]}


class ConnectionView(ApplicationView):
    tag = "Connections"

    def connections(self, application: str) -> QuerySet[Connection]:
        """Those of an application, which must be there."""
        found = self.find(self.applications, application)
        return shown(Connection.objects.visible_to(self.actor).filter(application=found))

    def named(self, application: str, connection: str) -> Connection:
        return self.find(self.connections(application), connection)

    def parts(self, connection: Connection) -> dict[str, Any]:
        """What an answer holds beside the connection itself."""
        return {
            "records": list(connection.records.values(*WantedRecordOutput.columns())),
            "conflicts": list(connection.conflicts.filter(removed_at=None).values(*ConflictOutput.columns())),
        }

    def answer_of(self, connection: Connection, status: int = 200, **extra: Any) -> Response:
        rows = shown(Connection.objects.filter(pk=connection.pk))
        return self.one(rows, ConnectionOutput, status, **self.parts(connection), **extra)


class Connections(ConnectionView):
    abilities = {"GET": "provider:read", "POST": "provider:create"}

    @operation("List the connections of an application", query=ConnectionQuery, page=ConnectionOutput)
    def get(self, request: HttpRequest, application: str) -> Response:
        given = {name: value for name, value in self.query(ConnectionQuery).items() if value}
        return self.page(self.connections(application).filter(**given), ConnectionOutput)

    @operation("Connect a domain", input=ConnectionInput, one=ConnectionOutput, status=201, job=True, extra=PARTS)
    def post(self, request: HttpRequest, application: str) -> Response:
        """`job` looks what is there already. What stands in the way of the records is among the `conflicts` once it has
        ended, and stays until applying confirms that it may be overwritten."""
        found = self.find(self.applications, application)
        given = self.input(ConnectionInput)
        pk = given.pop("credential_id", "")
        credential = self.dns_credential(pk) if pk else None
        connection = actions.connect_domain(self.actor, application=found, credential=credential, **given)
        return self.answer_of(connection, 201, job=self.job_address(open_job(connection)))

    def dns_credential(self, pk: str) -> Credential:
        credential = self.credentials.filter(kind=Kind.DNS, pk=pk).first()
        if credential is None:
            raise Invalid({"credential_id": ["The selected credential id is invalid."]})
        return credential


class ConnectionDetail(ConnectionView):
    abilities = {"GET": "provider:read", "DELETE": "provider:delete"}

    @operation("Show a connection", one=ConnectionOutput, extra=PARTS)
    def get(self, request: HttpRequest, application: str, connection: str) -> Response:
        return self.answer_of(self.named(application, connection))

    @operation("Delete a connection", status=204)
    def delete(self, request: HttpRequest, application: str, connection: str) -> Response:
        """Only one that has been disconnected."""
        actions.delete_connection(self.actor, connection=self.named(application, connection))
        return self.done()


class ApplyConnection(ConnectionView):
    abilities = {"POST": "provider:update"}

    @operation(
        "Apply a connection",
        input=ApplyInput,
        one=ConnectionOutput,
        status=202,
        job=True,
        message="The records are being put in place.",
        extra=PARTS,
    )
    def post(self, request: HttpRequest, application: str, connection: str) -> Response:
        """Puts its records in place with its DNS credential. `conflicts` names those that may be overwritten."""
        found = self.named(application, connection)
        job = actions.apply_connection(self.actor, connection=found, **self.input(ApplyInput))
        data = self.row(shown(Connection.objects.filter(pk=found.pk)), ConnectionOutput)
        return self.accepted("The records are being put in place.", job=job, data=data, **self.parts(found))


class CheckConnection(ConnectionView):
    abilities = {"POST": "provider:update"}

    @operation("Check a connection", status=202, job=True, message="The name servers are being asked.")
    def post(self, request: HttpRequest, application: str, connection: str) -> Response:
        job = actions.check_connection(self.actor, connection=self.named(application, connection))
        return self.accepted("The name servers are being asked.", job=job)


class DisconnectConnection(ConnectionView):
    abilities = {"POST": "provider:delete"}

    @operation(
        "Disconnect a domain",
        input=DisconnectInput,
        one=ConnectionOutput,
        extra={**PARTS, "job": Maybe(JobAddressOutput)},
    )
    def post(self, request: HttpRequest, application: str, connection: str) -> Response:
        """Removes what was put in place for it, and nothing else. `job` is null where nothing was, and where the
        records are to be kept."""
        found = self.named(application, connection)
        job = actions.disconnect_connection(self.actor, connection=found, **self.input(DisconnectInput))
        return self.answer_of(found, job=self.job_address(job))


def shown(rows: QuerySet[Connection]) -> QuerySet[Connection]:
    open_conflicts = Q(conflicts__id__isnull=False, conflicts__removed_at=None, conflicts__confirmed_at=None)
    return rows.annotate(conflicts_count=Count("conflicts", filter=open_conflicts))
