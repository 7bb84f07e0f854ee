"""Projects, and which sites belong to them."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit.log import changed, record
from deploynix.actor import Actor
from deploynix.errors import Conflict, Invalid
from organizations.models import Organization
from sites.models import Project, Site


@transaction.atomic
def create_project(actor: Actor, *, name: str, description: str = "") -> Project:
    """Raises Denied, Invalid for a name that is taken, and ValidationError."""
    actor.require_unlimited("project:create")
    project = Project(organization=actor.organization, name=name.strip(), description=description.strip())
    _save(project)
    record(actor, "project.created", project)
    return project


@transaction.atomic
def update_project(actor: Actor, *, project: Project, site_ids: Iterable[str] | None = None, **values: str) -> Project:
    """Changes what is given of `name` and `description`. With `site_ids`, exactly these sites belong to the project
    from now on, of those that the actor sees.

    Raises Denied, Invalid and ValidationError.
    """
    actor.require("project:update")
    values = {name: value.strip() for name, value in values.items()}
    changes = changed({name: getattr(project, name) for name in values}, values)
    for name, value in values.items():
        setattr(project, name, value)
    _save(project)
    if changes:
        record(actor, "project.updated", project, changes)
    if site_ids is not None:
        chosen = _chosen(actor, site_ids)
        _move(actor, Site.objects.visible_to(actor).filter(project=project).exclude(pk__in=chosen), None)
        _move(actor, chosen, project)
    return project


@transaction.atomic
def assign_sites(actor: Actor, *, project: Project | None, site_ids: Iterable[str]) -> None:
    """Puts sites into the project, and out of those that they were in; without a project, into none.

    Raises Denied, and Invalid where the actor does not see one of the sites.
    """
    actor.require("project:update")
    _move(actor, _chosen(actor, site_ids), project)


@transaction.atomic
def delete_project(actor: Actor, *, project: Project) -> None:
    """Removes the project; its sites stay, without one. Raises Denied, and Conflict where the actor does not see all
    of its sites."""
    actor.require("project:delete")
    sites = Site.objects.visible_to(actor).filter(project=project)
    if project.sites.exclude(pk__in=sites).exists():
        raise Conflict("This project has sites that you cannot see.", "Somebody who sees all of them can remove it.")
    _move(actor, sites, None)
    record(actor, "project.deleted", project)
    project.delete()


def _save(project: Project) -> None:
    # Of two that want the same name at once, the second waits here, and then finds it taken.
    Organization.objects.select_for_update().get(pk=project.organization_id)
    project.full_clean(validate_unique=False, validate_constraints=False)
    others = Project.objects.filter(organization=project.organization_id, name=project.name).exclude(pk=project.pk)
    if others.exists():
        raise Invalid({"name": ["The name has already been taken."]})
    project.save()


def _chosen(actor: Actor, site_ids: Iterable[str]) -> QuerySet[Site]:
    wanted = set(site_ids)
    sites = Site.objects.visible_to(actor).filter(pk__in=wanted)
    if sites.count() != len(wanted):
        raise Invalid({"site_ids": ["The selected site ids is invalid."]})
    return sites


def _move(actor: Actor, sites: QuerySet[Site], project: Project | None) -> None:
    moved = [site for site in sites.select_related("project") if site.project != project]
    for site in moved:
        record(actor, "site.updated", site, {"project": [name_of(site.project), name_of(project)]})
    rows = Site.objects.filter(pk__in=[site.pk for site in moved])
    rows.update(project=project, updated_at=timezone.now())


def name_of(project: Project | None) -> str | None:
    return project.name if project else None
