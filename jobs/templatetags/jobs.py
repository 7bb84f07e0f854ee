"""What pages say of jobs."""

from django import template

from deploynix.actor import Actor
from jobs.actions import abilities_to_retry
from jobs.models import Job

register = template.Library()


@register.filter
def lacks_to_retry(actor: Actor | None, job: Job) -> str:
    """The ability without which the actor may not retry the job; empty where none is missing."""
    return next((each for each in abilities_to_retry(job) if actor is None or not actor.can(each)), "")
