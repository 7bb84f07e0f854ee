"""Which jobs a token sees that is limited to some servers and sites. The apps above register what jobs are about."""

from collections.abc import Callable
from typing import Any

from django.db.models import Q, QuerySet

from deploynix.actor import Actor, Resources

# By the name of the model, in lower case: the rows that an actor may see.
_subjects: dict[str, Callable[[Actor], QuerySet[Any]]] = {}


def register_subject(name: str, visible: Callable[[Actor], QuerySet[Any]]) -> None:
    """Jobs about such rows are seen by whoever sees the row. Jobs about anything else belong to the organization."""
    _subjects[name] = visible


def about_visible(actor: Actor, limits: Resources) -> Q:
    """The condition for jobs about what the actor sees."""
    # What was chosen may be gone: the job that removed it can still be followed to its end.
    seen = Q(subject_id__in=limits.servers | limits.sites)
    for name, visible in _subjects.items():
        seen |= Q(subject_type=name, subject_id__in=visible(actor).values("pk"))
    return seen
