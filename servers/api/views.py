"""Servers, and the work on them."""

from typing import Any

from django.http import HttpRequest

from deploynix.api.operations import Maybe, operation
from deploynix.api.rows import Listing
from deploynix.api.serializers import JobAddressOutput
from deploynix.api.views import Response, View
from servers import actions
from servers.api.serializers import (
    DriftOutput,
    DriftQuery,
    HostKeyInput,
    LogReadingOutput,
    LogReadingQuery,
    RestartInput,
    ServerChanges,
    ServerInput,
    ServerOutput,
)
from servers.checks import open_job
from servers.models import Comparison, LogReading, Server, ServerQuerySet

_MAYBE_JOB = {"job": Maybe(JobAddressOutput)}


class ServerView(View):
    """What the views of one server share."""

    tag = "Servers"

    @property
    def servers(self) -> ServerQuerySet:
        return Server.objects.visible_to(self.actor)

    def answer_of(self, server: Server) -> dict[str, Any]:
        return self.row(self.servers.filter(pk=server.pk).with_sites_count(), ServerOutput)


SERVERS = Listing(ServerOutput, lambda actor: Server.objects.visible_to(actor).with_sites_count())


class Servers(ServerView):
    abilities = {"GET": "server:read", "POST": "server:create"}

    @operation("List servers", page=ServerOutput)
    def get(self, request: HttpRequest) -> Response:
        return self.listing(SERVERS)

    @operation(
        "Create a server",
        input=ServerInput,
        one=ServerOutput,
        status=201,
        extra={"authorize_command": None, **_MAYBE_JOB},
    )
    def post(self, request: HttpRequest) -> Response:
        """Adds a Debian or Ubuntu machine that exists already. With a private key its provisioning starts at once, as
        `job`; without one, `authorize_command` is the line to run as `login_user` on the server before provisioning."""
        server = actions.create_server(self.actor, **self.input(ServerInput))
        command = server.authorize_command if server.needs_authorizing else None
        job = self.job_address(open_job(server, "provision_server"))
        return Response({"data": self.answer_of(server), "authorize_command": command, "job": job}, 201)


class ServerDetail(ServerView):
    abilities = {"GET": "server:read", "PUT": "server:update", "PATCH": "server:update", "DELETE": "server:delete"}

    @operation("Show a server", one=ServerOutput)
    def get(self, request: HttpRequest, server: str) -> Response:
        return self.one(self.servers.filter(pk=server).with_sites_count(), ServerOutput)

    @operation("Update a server", input=ServerChanges, one=ServerOutput)
    def put(self, request: HttpRequest, server: str) -> Response:
        """Changes the fields that are sent. The address may be that of the same machine at another place: what answers
        there has to show the pinned host key."""
        row = self.find(self.servers, server)
        return Response(
            {"data": self.answer_of(actions.update_server(self.actor, server=row, **self.input(ServerChanges)))}
        )

    @operation("Change fields of a server", input=ServerChanges, one=ServerOutput)
    def patch(self, request: HttpRequest, server: str) -> Response:
        """The same as PUT."""
        return self.put(request, server)

    @operation("Delete a server", one=ServerOutput, status=202, job=True, message="Server removal started.")
    def delete(self, request: HttpRequest, server: str) -> Response:
        """Forgets the server; the machine stays as it is, but for the key that lets Deploynix in, which is taken off
        if the machine can be reached. A server that has sites is refused."""
        row = self.find(self.servers, server)
        job = actions.delete_server(self.actor, server=row)
        return self.accepted("Server removal started.", job=job, data=self.answer_of(row))


class Provision(ServerView):
    abilities = {"POST": "server:update"}

    @operation("Provision a server", one=ServerOutput, status=202, job=True, message="Provisioning started.")
    def post(self, request: HttpRequest, server: str) -> Response:
        """Provisions the server for the first time or again. What is as it should be is left alone."""
        row = self.find(self.servers, server)
        job = actions.provision_server(self.actor, server=row)
        return self.accepted("Provisioning started.", job=job, data=self.answer_of(row))


class Restart(ServerView):
    abilities = {"POST": "server:update"}

    @operation(
        "Restart a server", input=RestartInput, one=ServerOutput, status=202, job=True, message="Restart started."
    )
    def post(self, request: HttpRequest, server: str) -> Response:
        """Reboots the machine, or restarts one of its services."""
        row = self.find(self.servers, server)
        job = actions.restart_server(self.actor, server=row, **self.input(RestartInput))
        return self.accepted("Restart started.", job=job, data=self.answer_of(row))


class AcceptHostKey(ServerView):
    abilities = {"POST": "server:update"}

    @operation(
        "Accept a host key",
        input=HostKeyInput,
        one=ServerOutput,
        status=202,
        job=True,
        message="The host key is being pinned.",
    )
    def post(self, request: HttpRequest, server: str) -> Response:
        """Pins the key that the server shows now, if it has this fingerprint. Compare it on the server's own console
        first: a key that changed without a reason may be somebody who stands in between."""
        row = self.find(self.servers, server)
        job = actions.accept_host_key(self.actor, server=row, **self.input(HostKeyInput))
        return self.accepted("The host key is being pinned.", job=job, data=self.answer_of(row))


class Apply(ServerView):
    abilities = {"POST": "server:update"}

    @operation(
        "Apply the configuration of a server",
        one=ServerOutput,
        status=202,
        job=True,
        message="Applying the configuration started.",
    )
    def post(self, request: HttpRequest, server: str) -> Response:
        """Brings the managed files to the desired state, and reloads what they belong to. If a file is refused by its
        service, all of them stay as they were."""
        row = self.find(self.servers, server)
        job = actions.apply_configuration(self.actor, server=row)
        return self.accepted("Applying the configuration started.", job=job, data=self.answer_of(row))


class Drift(ServerView):
    abilities = {"GET": "server:read"}

    @operation("Show the drift of a server", query=DriftQuery, one=DriftOutput, extra=_MAYBE_JOB)
    def get(self, request: HttpRequest, server: str) -> Response:
        """What differed from the desired configuration at `compared_at`. Where that is more than a minute ago, or with
        `fresh`, the server is compared again: `job` says so, and when it is null the answer is up to date."""
        row = self.find(self.servers, server)
        start = actions.check_configuration if self.query(DriftQuery)["fresh"] else actions.refresh_comparison
        job = start(self.actor, server=row)
        return Response({"data": drift_of(row), "job": self.job_address(job)})


class Logs(ServerView):
    abilities = {"GET": "log:read"}

    @operation("Show a log of a server", query=LogReadingQuery, one=LogReadingOutput, extra=_MAYBE_JOB)
    def get(self, request: HttpRequest, server: str) -> Response:
        """The last lines of a log, as they were at `read_at`. Where that is more than ten seconds ago they are read
        again: `job` says so, and when it is null the answer is up to date."""
        row, query = self.find(self.servers, server), self.query(LogReadingQuery)
        job = actions.refresh_log(self.actor, server=row, **query)
        return Response({"data": log_of(row, query["name"]), "job": self.job_address(job)})


def drift_of(server: Server) -> dict[str, Any]:
    known = Comparison.objects.filter(server=server).first()
    if known is None:
        return {"status": "unknown", "compared_at": None, "differences": []}
    status = "drifted" if known.differences else "in_sync"
    return {"status": status, "compared_at": known.compared_at, "differences": known.differences}


def log_of(server: Server, name: str) -> dict[str, Any]:
    known = LogReading.objects.filter(server=server, name=name).first()
    return {"name": name, "text": known.text if known else "", "read_at": known.read_at if known else None}
