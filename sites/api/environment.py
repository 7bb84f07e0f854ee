"""The variables of a site's environment. Values are not shown unless they are revealed."""

from django.db.models import QuerySet
from django.http import HttpRequest

from deploynix.api.operations import operation
from deploynix.api.views import Response
from sites.actions import environment as actions
from sites.api.serializers import RevealQuery, SiteOutput, VariableChanges, VariableInput, VariableOutput
from sites.api.views import SiteView
from sites.models import EnvironmentVariable


class VariableView(SiteView):
    tag = "Environment variables"

    def variables(self, server: str, site: str) -> QuerySet[EnvironmentVariable]:
        return EnvironmentVariable.objects.visible_to(self.actor).filter(site=site, site__server=server)


class Variables(VariableView):
    abilities = {"GET": "env:read", "POST": "env:update"}

    @operation("List environment variables", page=VariableOutput)
    def get(self, request: HttpRequest, server: str, site: str) -> Response:
        """Their names, without the values."""
        variables = self.variables(server, site).order_by("name")
        return self.page_under(self.sites(server), site, variables, VariableOutput)

    @operation("Add an environment variable", input=VariableInput, one=VariableOutput, status=201)
    def post(self, request: HttpRequest, server: str, site: str) -> Response:
        """The next deploy takes it to the server."""
        row = self.site(server, site)
        variable = actions.create_environment_variable(self.actor, site=row, **self.input(VariableInput))
        return self.one(self.variables(server, site).filter(pk=variable.pk), VariableOutput, status=201)


class VariableDetail(VariableView):
    abilities = {"GET": "env:read", "PUT": "env:update", "DELETE": "env:update"}

    @operation("Show an environment variable", query=RevealQuery, one=VariableOutput)
    def get(self, request: HttpRequest, server: str, site: str, variable: str) -> Response:
        """With `reveal`, the answer's data also holds the `value`."""
        row = self.row(self.variables(server, site).filter(pk=variable), VariableOutput)
        if self.query(RevealQuery)["reveal"]:
            found = self.find(self.variables(server, site), variable)
            row["value"] = actions.reveal_environment_variable(self.actor, variable=found)
        return Response({"data": row})

    @operation("Change an environment variable", input=VariableChanges, one=VariableOutput)
    def put(self, request: HttpRequest, server: str, site: str, variable: str) -> Response:
        """The next deploy takes it to the server."""
        row = self.find(self.variables(server, site), variable)
        actions.update_environment_variable(self.actor, variable=row, **self.input(VariableChanges))
        return self.one(self.variables(server, site).filter(pk=variable), VariableOutput)

    @operation("Remove an environment variable", status=204)
    def delete(self, request: HttpRequest, server: str, site: str, variable: str) -> Response:
        """The next deploy takes it off the server."""
        actions.delete_environment_variable(self.actor, variable=self.find(self.variables(server, site), variable))
        return self.done()


class Pull(VariableView):
    abilities = {"POST": "env:update"}

    @operation("Import environment variables", one=SiteOutput, status=202, job=True, message="Import started.")
    def post(self, request: HttpRequest, server: str, site: str) -> Response:
        """Reads the .env that is on the server. What it holds wins over what is stored."""
        row = self.site(server, site)
        return self.started("Import started.", row, actions.pull_environment(self.actor, site=row))
