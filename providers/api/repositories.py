"""The repositories that can be connected: those that a Git provider's credential may set up."""

from django.http import HttpRequest

from deploynix.api.operations import Maybe, operation
from deploynix.api.views import Response
from providers import catalogue
from providers.api.base import FAILURES, CredentialView
from providers.api.serializers import RepositoryOutput, RepositoryQuery
from providers.base import Kind


class Repositories(CredentialView):
    abilities = {"GET": "provider:read"}

    @operation(
        "List the repositories of a Git provider",
        query=RepositoryQuery,
        extra={"data": [RepositoryOutput], "next_page": Maybe("2")},
        others=FAILURES,
    )
    def get(self, request: HttpRequest, git_provider: str) -> Response:
        """Those that can be connected, in the pages of the provider: `page` takes the `next_page` of the answer before,
        which is null on the last. There is no total, and no `per_page`."""
        credential = self.find(self.credentials.filter(kind=Kind.GIT), git_provider)
        query = self.query(RepositoryQuery)
        found = catalogue.repositories(credential, query.get("search", ""), query.get("page", ""))
        return Response({"data": found["repositories"], "next_page": found["next_page"] or None})
