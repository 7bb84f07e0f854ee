"""Deploying sites, and rolling them back."""

from django.db import transaction

from audit.log import record
from deploynix.actor import Actor
from deploynix.errors import Conflict, Invalid
from jobs.actions import enqueue_job
from sites.checks import require_standing
from sites.models import Deployment, DeploymentKind, Release, Site, Status


@transaction.atomic
def deploy_site(actor: Actor, *, site: Site, ref: str | None = None) -> Deployment:
    """Queues a deploy of `ref`: a branch, tag or commit, by default the site's branch.

    Raises ValidationError, and Conflict where the site or its server cannot take it.
    """
    actor.require("site:deploy")
    site = Site.objects.select_for_update().select_related("server").get(pk=site.pk)
    require_standing(site)
    if not site.server.is_ready:
        raise Conflict(f"The server {site.server} is not provisioned yet.", "Deploy when it is.")
    deployment = Deployment(site=site, ref=ref or site.branch)
    deployment.full_clean()
    deployment.save()
    if not site.current_release_id:
        site.status, site.status_reason = Status.INSTALLING, ""
        site.save(update_fields=["status", "status_reason", "updated_at"])
    record(actor, "site.deployed", site, {"ref": [None, deployment.ref]})
    return _with_job(actor, deployment, "deploy_site", f"Deploy {site.domain}")


@transaction.atomic
def rollback_site(actor: Actor, *, site: Site, release: Release | None = None) -> Deployment:
    """Queues a return to `release`, by default the newest that is older than the current one.

    Raises Conflict where there is no such release, or the server does not have it any more.
    """
    actor.require("site:rollback")
    site = Site.objects.select_for_update().get(pk=site.pk)
    require_standing(site)
    release = release or previous_release(site)
    if release.site_id != site.pk:
        raise Invalid({"release_id": ["The selected release id is invalid."]})
    if release.pk == site.current_release_id:
        raise Conflict("This release is the current one.", "Choose another one.")
    if not release.is_on_server:
        raise Conflict(
            f"The release {release.pk} is no longer on the server.", f"Deploy its commit {release.commit[:12]} again."
        )
    deployment = Deployment.objects.create(site=site, kind=DeploymentKind.ROLLBACK, ref=release.commit, release=release)
    record(actor, "site.rolled-back", site, {"release": [site.current_release_id, release.pk]})
    return _with_job(actor, deployment, "rollback_site", f"Roll {site.domain} back")


def previous_release(site: Site) -> Release:
    older = Release.objects.filter(site=site, is_on_server=True, id__lt=site.current_release_id or "")
    release = older.order_by("-id").first()
    if release is None:
        raise Conflict("There is no earlier release on the server.", "Deploy the commit you want instead.")
    return release


def _with_job(actor: Actor, deployment: Deployment, kind: str, label: str) -> Deployment:
    deployment.job = enqueue_job(
        actor,
        kind=kind,
        subject=deployment.site,
        label=label,
        lane=deployment.site.lane,
        params={"deployment": deployment.pk},
    )
    deployment.save(update_fields=["job"])
    return deployment
