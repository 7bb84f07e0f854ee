"""Questions that actions ask before anything is written."""

from deploynix.actor import Actor
from deploynix.errors import Conflict, Invalid
from jobs.models import Job
from sites.models import Project, Site, Status


def require_standing(site: Site) -> None:
    if site.status == Status.DELETING:
        raise Conflict("This site is being removed.", "Its job tells how far it is.")


def require_idle(site: Site) -> None:
    """Raises Conflict while a job works on the site or waits to."""
    if Job.objects.open().filter(lane=site.lane).exists():
        raise Conflict("A job is at work on this site.", "Wait until it has ended, or cancel it.")


def require_project(actor: Actor, project_id: str | None) -> None:
    """Raises Denied where the actor may not choose the projects of sites, and Invalid for one that it cannot see."""
    actor.require("project:update")
    visible = Project.objects.visible_to(actor).select_for_update()
    if project_id and visible.filter(pk=project_id).first() is None:
        raise Invalid({"project_id": ["The selected project id is invalid."]})
