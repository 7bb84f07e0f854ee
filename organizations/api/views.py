"""Organizations, which API keys call teams, and invoices."""

from django.db.models import Count, QuerySet
from django.http import HttpRequest

from deploynix.api.operations import operation
from deploynix.api.views import Response, View
from organizations.actions import add_organization, rename_organization
from organizations.api.serializers import InvoiceOutput, TeamChanges, TeamInput, TeamOutput
from organizations.models import Invoice, Organization


class TeamView(View):
    """A token acts in one organization, and sees no other."""

    tag = "Teams"

    @property
    def teams(self) -> QuerySet[Organization]:
        return counted(Organization.objects.filter(pk=self.actor.organization.pk))


def counted(organizations: QuerySet[Organization]) -> QuerySet[Organization]:
    return organizations.annotate(members_count=Count("memberships"))


class Teams(TeamView):
    abilities = {"GET": "organization:read", "POST": "organization:create"}

    @operation("List teams", page=TeamOutput)
    def get(self, request: HttpRequest) -> Response:
        """A team is an organization. The list holds the one that the token acts in."""
        return self.page(self.teams, TeamOutput)

    @operation("Create a team", input=TeamInput, one=TeamOutput, status=201)
    def post(self, request: HttpRequest) -> Response:
        """The owner is the user behind the token. The token itself goes on acting in the organization it belongs to."""
        made = add_organization(self.actor, **self.input(TeamInput))
        return self.one(counted(Organization.objects.filter(pk=made.pk)), TeamOutput, 201)


class TeamDetail(TeamView):
    abilities = {"GET": "organization:read", "PATCH": "organization:update"}

    @operation("Show a team", one=TeamOutput)
    def get(self, request: HttpRequest, team: str) -> Response:
        return self.one(self.teams.filter(pk=team), TeamOutput)

    @operation("Change fields of a team", input=TeamChanges, one=TeamOutput)
    def patch(self, request: HttpRequest, team: str) -> Response:
        self.find(self.teams, team)
        values = self.input(TeamChanges)
        if values:
            rename_organization(self.actor, **values)
        return self.one(self.teams, TeamOutput)


class Invoices(View):
    abilities = {"GET": "billing:read"}
    tag = "Billing"

    @operation("List invoices", page=InvoiceOutput)
    def get(self, request: HttpRequest) -> Response:
        return self.page(Invoice.objects.visible_to(self.actor), InvoiceOutput)
