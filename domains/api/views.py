"""Applications, and the DNS credentials that their owners bring."""

from django.db.models import QuerySet
from django.http import HttpRequest

from deploynix.api.operations import operation
from deploynix.api.views import Response
from domains import actions
from domains.api.serializers import ApplicationCredentialInput, ApplicationInput, ApplicationOutput
from domains.models import Application
from providers.api.base import CredentialView, as_action
from providers.api.serializers import CredentialOutput
from providers.models import Credential


class ApplicationView(CredentialView):
    tag = "Applications"

    @property
    def applications(self) -> QuerySet[Application]:
        return Application.objects.visible_to(self.actor)


class Applications(ApplicationView):
    abilities = {"GET": "provider:read", "POST": "provider:create"}

    @operation("List applications", page=ApplicationOutput)
    def get(self, request: HttpRequest) -> Response:
        return self.page(self.applications, ApplicationOutput)

    @operation("Add an application", input=ApplicationInput, one=ApplicationOutput, status=201)
    def post(self, request: HttpRequest) -> Response:
        application = actions.create_application(self.actor, **self.input(ApplicationInput))
        return self.one(Application.objects.filter(pk=application.pk), ApplicationOutput, 201)


class ApplicationDetail(ApplicationView):
    abilities = {"GET": "provider:read", "PUT": "provider:update", "DELETE": "provider:delete"}

    @operation("Show an application", one=ApplicationOutput)
    def get(self, request: HttpRequest, application: str) -> Response:
        return self.one(self.applications.filter(pk=application), ApplicationOutput)

    @operation("Update an application", input=ApplicationInput, one=ApplicationOutput)
    def put(self, request: HttpRequest, application: str) -> Response:
        found = self.find(self.applications, application)
        actions.update_application(self.actor, application=found, **self.input(ApplicationInput))
        return self.one(self.applications.filter(pk=application), ApplicationOutput)

    @operation("Delete an application", status=204)
    def delete(self, request: HttpRequest, application: str) -> Response:
        """Its credentials stay connected. 409 while domains are connected to it."""
        actions.delete_application(self.actor, application=self.find(self.applications, application))
        return self.done()


class ApplicationCredentials(ApplicationView):
    abilities = {"GET": "provider:read", "POST": "provider:create"}

    @operation("List the credentials of an application", page=CredentialOutput)
    def get(self, request: HttpRequest, application: str) -> Response:
        found = self.find(self.applications, application)
        return self.page(self.credentials.filter(applications=found), CredentialOutput)

    @operation(
        "Add a credential to an application",
        input=ApplicationCredentialInput,
        one=CredentialOutput,
        status=201,
        job=True,
    )
    def post(self, request: HttpRequest, application: str) -> Response:
        """Connects a DNS provider. Its credential is stored encrypted, and checked by `job`. It is taken as one string
        in `credential`, or by fields in `values`."""
        found = self.find(self.applications, application)
        given = as_action(self.input(ApplicationCredentialInput))
        credential = actions.add_credential(self.actor, application=found, **given)
        rows = Credential.objects.filter(pk=credential.pk)
        return self.one(rows, CredentialOutput, 201, job=self.check_of(credential))
