"""What a Git provider does for a site."""

from django.http import HttpRequest

from deploynix.api.operations import operation
from deploynix.api.views import Response
from deploynix.errors import Invalid
from repositories.models import GitRepository
from sites.actions import repositories as actions
from sites.api.serializers import DeployKeyInput, SiteOutput
from sites.api.views import SiteView
from sites.models import Site

STARTED = "The deploy key is being set up."


class SetupDeployKey(SiteView):
    abilities = {"POST": "site:update"}
    tag = "Providers"

    @operation("Set up a deploy key", input=DeployKeyInput, one=SiteOutput, status=202, job=True, message=STARTED)
    def post(self, request: HttpRequest, git_repository: str) -> Response:
        """Has the Git provider let the site read the repository, by a job. The site has to have one of the
        repository's addresses. Needs provider:read, too."""
        repository = self.find(GitRepository.objects.visible_to(self.actor), git_repository)
        given = self.input(DeployKeyInput)
        site = Site.objects.visible_to(self.actor).filter(pk=given["site_id"]).first()
        if site is None:
            raise Invalid({"site_id": ["The selected site id is invalid."]})
        return self.started(STARTED, site, actions.setup_deploy_key(self.actor, repository=repository, site=site))
