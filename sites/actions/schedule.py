"""Deployments that wait for their time."""

from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.utils import timezone

from audit.log import record
from deploynix.actor import Actor
from deploynix.errors import Conflict, Invalid
from jobs.actions import enqueue_job, stop_job
from jobs.models import Job
from sites.checks import require_standing
from sites.models import SCHEDULED_DEPLOY, Deployment, Site, Status

FURTHEST = timedelta(days=365)


@transaction.atomic
def schedule_deploy(actor: Actor, *, site: Site, scheduled_at: datetime, ref: str | None = None) -> Job:
    """Queues a deployment of `ref` for a time in the future, at most a year ahead. Without `ref` it takes the branch
    that the site has by then. site:schedule alone is enough.

    Raises Denied, Invalid, ValidationError, and Conflict where one is scheduled or the site cannot take it.
    """
    actor.require("site:schedule")
    site = Site.objects.select_for_update().get(pk=site.pk)
    require_standing(site)
    if site.status == Status.SUSPENDED:
        raise Conflict("This site is suspended.", "Resume it first, or deploy it now.")
    _check_time(scheduled_at)
    Deployment(site=site, ref=ref or site.branch).full_clean()
    _require_none(site)
    record(actor, "site.deploy-scheduled", site, {"scheduled_at": [None, _spoken(scheduled_at)], "ref": [None, ref]})
    return enqueue_job(
        actor,
        kind=SCHEDULED_DEPLOY,
        subject=site,
        label=f"Deploy {site.domain} as scheduled",
        params={"ref": ref},
        run_after=scheduled_at,
    )


@transaction.atomic
def cancel_scheduled_deploy(actor: Actor, *, site: Site) -> None:
    """Raises Denied, and Conflict where no deployment is scheduled."""
    actor.require("site:schedule")
    site = Site.objects.select_for_update().get(pk=site.pk)
    if not call_off_deploy(actor, site):
        raise Conflict("No deployment of this site is scheduled.", "It has begun, or was cancelled before.")


def call_off_deploy(actor: Actor, site: Site) -> bool:
    """Cancels what is scheduled, for an action that authorised it; False where nothing is."""
    job = site.scheduled_deploy
    if job is None:
        return False
    stop_job(job=job)
    record(actor, "site.scheduled-deploy-cancelled", site, {"scheduled_at": [_spoken(job.run_after), None]})
    return True


def _check_time(scheduled_at: datetime) -> None:
    now = timezone.now()
    if scheduled_at <= now:
        raise Invalid({"scheduled_at": ["The scheduled at field must be a time in the future."]})
    if scheduled_at > now + FURTHEST:
        raise Invalid({"scheduled_at": ["The scheduled at field must be at most a year ahead."]})


def _require_none(site: Site) -> None:
    if job := site.scheduled_deploy:
        raise Conflict(
            f"A deployment is scheduled already: it begins at {_spoken(job.run_after)}.",
            "Cancel it first, on the site's page or by POST .../cancel-scheduled-deploy.",
        )


def _spoken(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
