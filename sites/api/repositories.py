"""What a Git provider does for a site."""

from django.http import HttpRequest

from deploynix.api.operations import operation
from deploynix.api.views import Response
from deploynix.errors import Invalid
from sites.actions import repositories as actions
from sites.api.serializers import DeployKeyInput, SiteOutput
from sites.api.views import SiteView
from sites.models import Site

STARTED = "The deploy key is being set up."


class SetupDeployKey(SiteView):
    abilities = {"POST": "site:update"}
    tag = "Providers"

    @operation("Set up a deploy key", input=DeployKeyInput, one=SiteOutput, status=202, job=True, message=STARTED)
    def post(self, request: HttpRequest) -> Response:
        """Has the Git provider let the site read the repository, by a job. Needs provider:read, too."""
        given = self.input(DeployKeyInput)
        site = Site.objects.visible_to(self.actor).filter(pk=given.pop("site")).first()
        if site is None:
            raise Invalid({"site": ["The selected site is invalid."]})
        return self.started(STARTED, site, actions.setup_deploy_key(self.actor, site=site, **given))
