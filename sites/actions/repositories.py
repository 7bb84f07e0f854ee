"""Having a Git provider let a site in."""

from django.db import transaction

from audit.log import record
from deploynix.actor import Actor
from jobs.actions import enqueue_job
from jobs.models import Job
from jobs.models import Status as JobStatus
from repositories.models import GitRepository
from sites.checks import require_place, require_standing
from sites.models import SETUP_DEPLOY_KEY, Site


@transaction.atomic
def setup_deploy_key(actor: Actor, *, repository: GitRepository, site: Site) -> Job:
    """Queues the job that adds the site's deploy key to the repository, or finds the one that waits. The key may only
    read; one that is there already stays.

    Raises Denied, Invalid and Conflict.
    """
    actor.require("site:update")
    actor.require("provider:read")
    require_standing(site)
    require_place(site, repository)
    record(actor, "site.deploy-key-set-up", site, {"repository": [None, str(repository)]})
    params = {"repository": repository.pk}
    waiting = Job.objects.about(site).filter(kind=SETUP_DEPLOY_KEY, status=JobStatus.QUEUED, params=params).first()
    # One at a time: two that do not see each other's key would add it twice.
    return waiting or enqueue_job(
        actor,
        kind=SETUP_DEPLOY_KEY,
        subject=site,
        label=f"Set up the deploy key of {site}",
        lane=repository.lane,
        params=params,
    )


def fitting_repositories(actor: Actor, site: Site) -> list[GitRepository]:
    """Those that the site may be let into, as far as the actor sees them."""
    if not actor.can("provider:read"):
        return []
    name = site.repository_url.rstrip("/").removesuffix(".git").rpartition("/")[2]
    rows = GitRepository.objects.visible_to(actor).filter(full_name__iendswith=f"/{name}").select_related("credential")
    return [row for row in rows.defer("credential__sealed").order_by("pk") if row.is_at(site.repository_url)]
