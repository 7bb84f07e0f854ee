"""Questions that actions ask before anything is written."""

from deploynix.actor import Actor
from deploynix.errors import Conflict, Invalid
from jobs.models import Job
from repositories.models import GitRepository
from sites.models import Project, Site, Status


def require_standing(site: Site) -> None:
    if site.status == Status.DELETING:
        raise Conflict("This site is being removed.", "Its job tells how far it is.")


def require_idle(site: Site) -> None:
    """Raises Conflict while a job works on the site or waits to."""
    if Job.objects.open().filter(lane=site.lane).exists():
        raise Conflict("A job is at work on this site.", "Wait until it has ended, or cancel it.")


def require_place(site: Site, repository: GitRepository) -> None:
    """Raises Conflict for a repository of which nothing is known yet, and Invalid where the site is of another one."""
    if not repository.is_known:
        reason = repository.status_reason or "Wait until it was read."
        raise Conflict(f"{repository} has not been read from its provider.", reason)
    if not repository.is_at(site.repository_url):
        addresses = f"{repository.ssh_url} and {repository.clone_url}"
        reads = f"{site} is deployed from {site.repository_url}"
        text = f"{reads}. The addresses of {repository} are {addresses}."
        raise Invalid({"site_id": [text]}, text)


def require_project(actor: Actor, project_id: str | None) -> None:
    """Raises Denied where the actor may not choose the projects of sites, and Invalid for one that it cannot see."""
    actor.require("project:update")
    visible = Project.objects.visible_to(actor).select_for_update()
    if project_id and visible.filter(pk=project_id).first() is None:
        raise Invalid({"project_id": ["The selected project id is invalid."]})
