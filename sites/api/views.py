"""Sites, and the work on them."""

from typing import Any, TypeVar

from django.db.models import Case, F, Model, QuerySet, Value, When
from django.http import HttpRequest

from deploynix.api.operations import operation
from deploynix.api.serializers import Output
from deploynix.api.views import Response, View
from deploynix.errors import Invalid
from jobs.models import Job
from servers.models import Server
from sites.actions import deployments, schedule
from sites.actions import sites as actions
from sites.api.serializers import (
    DeleteQuery,
    DeployInput,
    ReleaseOutput,
    RollbackInput,
    ScheduleInput,
    SiteChanges,
    SiteInput,
    SiteOutput,
    SiteQuery,
)
from sites.models import Release, Site

Row = TypeVar("Row", bound=Model)
NO_ROWS = b'{"data":[]'
REMOVAL = "Site removal started."
GONE = {204: "There was nothing to remove from the server, or `force` told to leave it"}


class SiteView(View):
    """What the views of sites share."""

    tag = "Sites"

    def sites(self, server: str) -> QuerySet[Site]:
        return Site.objects.visible_to(self.actor).filter(server=server)

    def site(self, server: str, site: str) -> Site:
        return self.find(self.sites(server), site)

    def page_under(self, parents: QuerySet[Row], pk: str, rows: QuerySet[Any], output: type[Output]) -> Response:
        """A page of what belongs to one of the parents; 404 where there is no such one."""
        response = self.page(rows, output)
        # What has rows exists, so only an empty page needs other queries to tell. A limited token may see rows without
        # their parent.
        if response.content.startswith(NO_ROWS) and not rows.exists():
            self.find(parents, pk)
        return response

    def answer_of(self, site: Site) -> dict[str, Any]:
        return self.row(shown(Site.objects.filter(pk=site.pk)), SiteOutput)

    def started(self, message: str, site: Site, job: Job | None) -> Response:
        assert job  # noqa: S101 -- the caller's action has just queued it
        return self.accepted(message, job=job, data=self.answer_of(site))


def shown(sites: QuerySet[Site]) -> QuerySet[Site]:
    rows = sites.with_last_deployment().with_scheduled_deploy()  # type: ignore[attr-defined]
    return rows.annotate(current_commit=F("current_release__commit"))  # type: ignore[no-any-return]


class AllSites(SiteView):
    abilities = {"GET": "site:read"}

    @operation("List the sites of all servers", query=SiteQuery, page=SiteOutput)
    def get(self, request: HttpRequest) -> Response:
        sites = Site.objects.visible_to(self.actor).filter(**self.query(SiteQuery))
        return self.page(shown(sites), SiteOutput)


class Sites(SiteView):
    abilities = {"GET": "site:read", "POST": "site:create"}

    @operation("List sites", page=SiteOutput)
    def get(self, request: HttpRequest, server: str) -> Response:
        return self.page_under(Server.objects.visible_to(self.actor), server, shown(self.sites(server)), SiteOutput)

    @operation("Create a site", input=SiteInput, one=SiteOutput, status=201)
    def post(self, request: HttpRequest, server: str) -> Response:
        """Nothing is done on the server before the first deploy. A private repository has to know the answer's
        `deploy_public_key` as a deploy key by then."""
        row = self.find(Server.objects.visible_to(self.actor), server)
        site = actions.create_site(self.actor, server=row, **self.input(SiteInput))
        return Response({"data": self.answer_of(site)}, 201)


class SiteDetail(SiteView):
    abilities = {"GET": "site:read", "PUT": "site:update", "DELETE": "site:delete"}

    @operation("Show a site", one=SiteOutput)
    def get(self, request: HttpRequest, server: str, site: str) -> Response:
        return self.one(shown(self.sites(server).filter(pk=site)), SiteOutput)

    @operation("Update a site", input=SiteChanges, one=SiteOutput)
    def put(self, request: HttpRequest, server: str, site: str) -> Response:
        """Changes the fields that are sent. What concerns the web server is applied by a job at once, the rest takes
        effect with the next deploy."""
        row = self.site(server, site)
        actions.update_site(self.actor, site=row, **self.input(SiteChanges))
        return Response({"data": self.answer_of(row)})

    @operation("Delete a site", query=DeleteQuery, one=SiteOutput, status=202, job=True, message=REMOVAL, others=GONE)
    def delete(self, request: HttpRequest, server: str, site: str) -> Response:
        """Removes the site, its user and all its files from the server. Answers 204 where there was nothing to remove,
        and with `force`."""
        row = self.site(server, site)
        job = actions.delete_site(self.actor, site=row, **self.query(DeleteQuery))
        return self.started(REMOVAL, row, job) if job else self.done()


class Deploy(SiteView):
    abilities = {"POST": "site:deploy"}

    @operation("Deploy a site", input=DeployInput, one=SiteOutput, status=202, job=True, message="Deployment started.")
    def post(self, request: HttpRequest, server: str, site: str) -> Response:
        """Needs no body. Poll the job, or the site's `last_deployment_status`."""
        row = self.site(server, site)
        deployment = deployments.deploy_site(self.actor, site=row, **self.input(DeployInput))
        return self.started("Deployment started.", row, deployment.job)


class ScheduleDeploy(SiteView):
    abilities = {"POST": "site:schedule"}

    @operation(
        "Schedule a deployment",
        input=ScheduleInput,
        one=SiteOutput,
        status=202,
        job=True,
        message="Deployment scheduled.",
    )
    def post(self, request: HttpRequest, server: str, site: str) -> Response:
        """The job waits for its time, and then starts a deployment, with a job of its own. A site has one scheduled
        deployment at most: a second one is refused with 409. Suspending or deleting the site cancels it."""
        row = self.site(server, site)
        job = schedule.schedule_deploy(self.actor, site=row, **self.input(ScheduleInput))
        return self.started("Deployment scheduled.", row, job)


class CancelScheduledDeploy(SiteView):
    abilities = {"POST": "site:schedule"}

    @operation("Cancel a scheduled deployment", one=SiteOutput, message="The scheduled deployment is cancelled.")
    def post(self, request: HttpRequest, server: str, site: str) -> Response:
        row = self.site(server, site)
        schedule.cancel_scheduled_deploy(self.actor, site=row)
        return Response({"message": "The scheduled deployment is cancelled.", "data": self.answer_of(row)})


class Rollback(SiteView):
    abilities = {"POST": "site:rollback"}

    @operation(
        "Roll a site back", input=RollbackInput, one=SiteOutput, status=202, job=True, message="Rollback started."
    )
    def post(self, request: HttpRequest, server: str, site: str) -> Response:
        row = self.site(server, site)
        release = self._release(row, self.input(RollbackInput).get("release_id"))
        deployment = deployments.rollback_site(self.actor, site=row, release=release)
        return self.started("Rollback started.", row, deployment.job)

    def _release(self, site: Site, pk: str | None) -> Release | None:
        if pk is None:
            return None
        release = site.releases.served().filter(pk=pk).first()
        if release is None:
            raise Invalid({"release_id": ["The selected release id is invalid."]})
        return release


class Suspend(SiteView):
    abilities = {"POST": "site:suspend"}

    @operation("Suspend a site", one=SiteOutput, status=202, job=True, message="Suspension started.")
    def post(self, request: HttpRequest, server: str, site: str) -> Response:
        """Visitors get a page that says so, with status 503."""
        row = self.site(server, site)
        return self.started("Suspension started.", row, actions.suspend_site(self.actor, site=row))


class Resume(SiteView):
    abilities = {"POST": "site:suspend"}

    @operation("Resume a site", one=SiteOutput, status=202, job=True, message="Resumption started.")
    def post(self, request: HttpRequest, server: str, site: str) -> Response:
        row = self.site(server, site)
        return self.started("Resumption started.", row, actions.resume_site(self.actor, site=row))


class EnableZeroDowntime(SiteView):
    abilities = {"POST": "site:zero-downtime"}

    @operation("Enable zero downtime", one=SiteOutput, message="Zero-downtime releases are enabled.")
    def post(self, request: HttpRequest, server: str, site: str) -> Response:
        """From the next deploy on, each release is built apart and goes live in one step."""
        row = actions.enable_zero_downtime(self.actor, site=self.site(server, site))
        return Response({"message": "Zero-downtime releases are enabled.", "data": self.answer_of(row)})


class ForgetHostKey(SiteView):
    abilities = {"POST": "site:update"}

    @operation("Forget the repository's host key", one=SiteOutput, message="The host key is forgotten.")
    def post(self, request: HttpRequest, server: str, site: str) -> Response:
        """The next fetch pins whatever key the repository's server shows then."""
        row = actions.forget_repository_host_key(self.actor, site=self.site(server, site))
        return Response({"message": "The host key is forgotten.", "data": self.answer_of(row)})


class Releases(SiteView):
    abilities = {"GET": "site:read"}

    @operation("List releases", page=ReleaseOutput)
    def get(self, request: HttpRequest, server: str, site: str) -> Response:
        row = self.site(server, site)
        is_current = Case(When(pk=row.current_release_id, then=Value(True)), default=Value(False))
        releases = row.releases.served().annotate(is_current=is_current)
        return self.page(releases, ReleaseOutput)
