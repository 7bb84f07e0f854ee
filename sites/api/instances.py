"""Sites under the name that API keys know them by."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from deploynix.api.operations import operation
from deploynix.api.views import Response
from deploynix.errors import Invalid
from servers.models import Server
from sites.actions import sites as actions
from sites.api.serializers import DeleteQuery, InstanceInput, SiteChanges, SiteOutput, SiteQuery
from sites.api.views import GONE, REMOVAL, SiteView, shown
from sites.models import Site


class InstanceView(SiteView):
    tag = "Instances"

    @property
    def instances(self) -> QuerySet[Site]:
        return Site.objects.visible_to(self.actor)


class Instances(InstanceView):
    abilities = {"GET": "site:read", "POST": "site:create"}

    @operation("List instances", query=SiteQuery, page=SiteOutput)
    def get(self, request: HttpRequest) -> Response:
        """An instance is a site: this is the same list as `GET /sites`."""
        return self.page(shown(self.instances.filter(**self.query(SiteQuery))), SiteOutput)

    @operation("Create an instance", input=InstanceInput, one=SiteOutput, status=201)
    def post(self, request: HttpRequest) -> Response:
        """Creates a site on the server of this id."""
        values = self.input(InstanceInput)
        server = self._server(values)
        return Response({"data": self.answer_of(actions.create_site(self.actor, server=server, **values))}, 201)

    def _server(self, values: dict[str, Any]) -> Server:
        server = Server.objects.visible_to(self.actor).filter(pk=values.pop("server_id")).first()
        if server is None:
            raise Invalid({"server_id": ["The selected server id is invalid."]})
        return server


class InstanceDetail(InstanceView):
    abilities = {"GET": "site:read", "PATCH": "site:update", "DELETE": "site:delete"}

    @operation("Show an instance", one=SiteOutput)
    def get(self, request: HttpRequest, instance: str) -> Response:
        return self.one(shown(self.instances.filter(pk=instance)), SiteOutput)

    @operation("Change fields of an instance", input=SiteChanges, one=SiteOutput)
    def patch(self, request: HttpRequest, instance: str) -> Response:
        """The same as `PUT` of the site."""
        row = self.find(self.instances, instance)
        actions.update_site(self.actor, site=row, **self.input(SiteChanges))
        return Response({"data": self.answer_of(row)})

    @operation(
        "Delete an instance", query=DeleteQuery, one=SiteOutput, status=202, job=True, message=REMOVAL, others=GONE
    )
    def delete(self, request: HttpRequest, instance: str) -> Response:
        """The same as `DELETE` of the site; 204 where there was nothing to remove from the server."""
        row = self.find(self.instances, instance)
        job = actions.delete_site(self.actor, site=row, **self.query(DeleteQuery))
        return self.started(REMOVAL, row, job) if job else self.done()
