"""Credentials of all kinds; those of Git providers have an address of their own besides."""

from typing import ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest

from deploynix.api.operations import Maybe, operation
from deploynix.api.serializers import JobAddressOutput
from deploynix.api.views import Response
from providers import actions
from providers.api.base import CHECKED, CredentialView, as_action
from providers.api.serializers import (
    CredentialChanges,
    CredentialInput,
    CredentialOutput,
    CredentialQuery,
    GitProviderInput,
    GitProviderOutput,
)
from providers.base import Kind
from providers.models import Credential

CHECK = {"job": Maybe(JobAddressOutput)}


class Handling(CredentialView):
    """What is done with a credential, whatever its address."""

    output: ClassVar[type[CredentialOutput]] = CredentialOutput

    @property
    def rows(self) -> QuerySet[Credential]:
        return self.credentials

    def changed(self, pk: str) -> Response:
        credential = self.find(self.rows, pk)
        changes = as_action(self.input(CredentialChanges))
        return self.answer(actions.update_credential(self.actor, credential=credential, **changes))

    def forgotten(self, pk: str) -> Response:
        actions.delete_credential(self.actor, credential=self.find(self.rows, pk))
        return self.done()

    def answer(self, credential: Credential, status: int = 200) -> Response:
        rows = Credential.objects.filter(pk=credential.pk)
        return self.one(rows, self.output, status, job=self.check_of(credential))


class Credentials(Handling):
    abilities = {"GET": "provider:read", "POST": "provider:create"}

    @operation("List credentials", query=CredentialQuery, page=CredentialOutput)
    def get(self, request: HttpRequest) -> Response:
        return self.page(self.rows.filter(**self.query(CredentialQuery)), self.output)

    @operation("Add a credential", input=CredentialInput, one=CredentialOutput, status=201, job=True)
    def post(self, request: HttpRequest) -> Response:
        """Stores it encrypted, and queues the job that finds out what it may do. `GET /providers` tells the fields of
        each provider."""
        given = as_action(self.input(CredentialInput))
        return self.answer(actions.create_credential(self.actor, **given), 201)


class CredentialDetail(Handling):
    abilities = {"GET": "provider:read", "PUT": "provider:update", "DELETE": "provider:delete"}

    @operation("Show a credential", one=CredentialOutput)
    def get(self, request: HttpRequest, credential: str) -> Response:
        return self.one(self.rows.filter(pk=credential), self.output)

    @operation("Update a credential", input=CredentialChanges, one=CredentialOutput, extra=CHECK)
    def put(self, request: HttpRequest, credential: str) -> Response:
        """Changes what is sent. Where that changes a field it is checked again, by `job`."""
        return self.changed(credential)

    @operation("Delete a credential", status=204)
    def delete(self, request: HttpRequest, credential: str) -> Response:
        """Answers 409, and says by what, while it is used. At the provider it stays: revoke it there."""
        return self.forgotten(credential)


class VerifyCredential(Handling):
    abilities = {"POST": "provider:update"}

    @operation("Verify a credential", one=CredentialOutput, status=202, job=True, message=CHECKED)
    def post(self, request: HttpRequest, credential: str) -> Response:
        """Queues a job that tries each permission; its verdicts are the `findings` of the credential."""
        row = self.find(self.rows, credential)
        job = actions.verify_credential(self.actor, credential=row)
        shown = self.row(Credential.objects.filter(pk=row.pk), self.output)
        return self.accepted(CHECKED, job=job, data=shown)


class GitHandling(Handling):
    output = GitProviderOutput

    @property
    def rows(self) -> QuerySet[Credential]:
        return self.credentials.filter(kind=Kind.GIT)


class GitProviders(GitHandling):
    abilities = {"GET": "provider:read", "POST": "provider:create"}

    @operation("List Git providers", page=GitProviderOutput)
    def get(self, request: HttpRequest) -> Response:
        """Those that are connected: credentials of the kind git."""
        return self.page(self.rows, self.output)

    @operation("Connect a Git provider", input=GitProviderInput, one=GitProviderOutput, status=201, job=True)
    def post(self, request: HttpRequest) -> Response:
        """As adding a credential of the kind git."""
        given = as_action(self.input(GitProviderInput))
        return self.answer(actions.create_credential(self.actor, kind=Kind.GIT, **given), 201)


class GitProviderDetail(GitHandling):
    abilities = {"GET": "provider:read", "PUT": "provider:update", "DELETE": "provider:delete"}

    @operation("Show a Git provider", one=GitProviderOutput)
    def get(self, request: HttpRequest, git_provider: str) -> Response:
        return self.one(self.rows.filter(pk=git_provider), self.output)

    @operation("Update a Git provider", input=CredentialChanges, one=GitProviderOutput, extra=CHECK)
    def put(self, request: HttpRequest, git_provider: str) -> Response:
        """Changes what is sent. Where that changes a field it is checked again, by `job`."""
        return self.changed(git_provider)

    @operation("Disconnect a Git provider", status=204)
    def delete(self, request: HttpRequest, git_provider: str) -> Response:
        """Answers 409, and says by what, while it is used."""
        return self.forgotten(git_provider)
