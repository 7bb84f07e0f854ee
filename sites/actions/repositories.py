"""Having a Git provider let a site in."""

from django.db import transaction

from audit.log import record
from deploynix.actor import Actor
from deploynix.errors import Invalid
from jobs.actions import enqueue_job
from jobs.models import Job
from providers.base import Kind
from providers.models import Credential
from sites.checks import require_standing
from sites.models import SETUP_DEPLOY_KEY, Site


@transaction.atomic
def setup_deploy_key(actor: Actor, *, site: Site, repository: str, credential_id: str) -> Job:
    """Queues the job that adds the site's deploy key to the repository, given by the id that its provider knows it by.
    The key may only read; one that is there already stays.

    Raises Denied, Invalid and Conflict.
    """
    actor.require("site:update")
    actor.require("provider:read")
    require_standing(site)
    credential = Credential.objects.visible_to(actor).filter(kind=Kind.GIT, pk=credential_id).first()
    if credential is None:
        raise Invalid({"credential_id": ["The selected credential id is invalid."]})
    given = {"credential": credential.pk, "repository": repository}
    record(actor, "site.deploy-key-set-up", site, {name: [None, value] for name, value in given.items()})
    return enqueue_job(
        actor, kind=SETUP_DEPLOY_KEY, subject=site, label=f"Set up the deploy key of {site}", params=given
    )
