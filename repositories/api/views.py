"""The repositories that are connected."""

from django.db.models import QuerySet
from django.http import HttpRequest

from deploynix.api.operations import operation
from deploynix.api.views import Response
from deploynix.errors import Invalid
from providers.api.base import CredentialView
from providers.base import Kind
from providers.models import Credential
from repositories import actions
from repositories.api.serializers import (
    GitRepositoryChanges,
    GitRepositoryInput,
    GitRepositoryOutput,
    GitRepositoryQuery,
)
from repositories.models import GitRepository


class GitRepositoryView(CredentialView):
    @property
    def rows(self) -> QuerySet[GitRepository]:
        return GitRepository.objects.visible_to(self.actor)

    def git_provider(self, pk: str) -> Credential:
        credential = self.credentials.filter(kind=Kind.GIT, pk=pk).first()
        if credential is None:
            raise Invalid({"credential_id": ["The selected credential id is invalid."]})
        return credential

    def answer(self, repository: GitRepository, status: int = 200) -> Response:
        job = self.job_address(actions.open_read(repository))
        return self.one(GitRepository.objects.filter(pk=repository.pk), GitRepositoryOutput, status, job=job)


class GitRepositories(GitRepositoryView):
    abilities = {"GET": "provider:read", "POST": "provider:create"}

    @operation("List Git repositories", query=GitRepositoryQuery, page=GitRepositoryOutput)
    def get(self, request: HttpRequest) -> Response:
        """Those that are connected. `GET /git-providers/{git_provider}/repositories` tells which ones can be."""
        return self.page(self.rows.filter(**self.query(GitRepositoryQuery)), GitRepositoryOutput)

    @operation("Connect a Git repository", input=GitRepositoryInput, one=GitRepositoryOutput, status=201, job=True)
    def post(self, request: HttpRequest) -> Response:
        """Its addresses, its branch and whether it is private are read from the provider, by `job`."""
        given = self.input(GitRepositoryInput)
        credential = self.git_provider(given["credential_id"])
        repository = actions.connect_repository(self.actor, credential=credential, full_name=given["full_name"])
        return self.answer(repository, 201)


class GitRepositoryDetail(GitRepositoryView):
    abilities = {"GET": "provider:read", "PUT": "provider:update", "DELETE": "provider:delete"}

    @operation("Show a Git repository", one=GitRepositoryOutput)
    def get(self, request: HttpRequest, git_repository: str) -> Response:
        return self.one(self.rows.filter(pk=git_repository), GitRepositoryOutput)

    @operation("Update a Git repository", input=GitRepositoryChanges, one=GitRepositoryOutput, job=True)
    def put(self, request: HttpRequest, git_repository: str) -> Response:
        """Reads it again, by `job`; with another credential where one is sent."""
        repository = self.find(self.rows, git_repository)
        pk = self.input(GitRepositoryChanges).get("credential_id")
        credential = None if pk is None else self.git_provider(pk)
        return self.answer(actions.update_repository(self.actor, repository=repository, credential=credential))

    @operation("Disconnect a Git repository", status=204)
    def delete(self, request: HttpRequest, git_repository: str) -> Response:
        """At the provider it stays, and so do its deploy keys."""
        actions.disconnect_repository(self.actor, repository=self.find(self.rows, git_repository))
        return self.done()
