"""The variables of a site's environment. Values go in, and come out only by `reveal_environment_variable`."""

from django.db import transaction

from audit.log import record
from deploynix.actor import Actor
from deploynix.errors import Conflict
from jobs.actions import enqueue_job
from jobs.models import Job
from sites.checks import require_standing
from sites.models import EnvironmentVariable, Site


@transaction.atomic
def create_environment_variable(actor: Actor, *, site: Site, name: str, value: str) -> EnvironmentVariable:
    """Adds a variable; the next deploy takes it to the server. Raises ValidationError, also for a name in use."""
    actor.require("env:update")
    require_standing(site)
    variable = EnvironmentVariable(site=site, name=name, value=value)
    variable.full_clean()
    variable.save()
    record(actor, "env.updated", site, {name: [None, "added"]})
    return variable


@transaction.atomic
def update_environment_variable(actor: Actor, *, variable: EnvironmentVariable, value: str) -> EnvironmentVariable:
    """Replaces the value; the next deploy takes it to the server. Raises ValidationError."""
    actor.require("env:update")
    variable.value = value  # type: ignore[assignment]  # the field has no types
    variable.full_clean()
    variable.save()
    record(actor, "env.updated", variable.site, {variable.name: ["set", "changed"]})
    return variable


@transaction.atomic
def delete_environment_variable(actor: Actor, *, variable: EnvironmentVariable) -> None:
    actor.require("env:update")
    record(actor, "env.deleted", variable.site, {variable.name: ["set", None]})
    variable.delete()


@transaction.atomic
def reveal_environment_variable(actor: Actor, *, variable: EnvironmentVariable) -> str:
    """The value. Each reading leaves an audit row."""
    actor.require("env:reveal")
    record(actor, "env.revealed", variable.site, {variable.name: ["set", "read"]})
    return str(variable.value)


@transaction.atomic
def pull_environment(actor: Actor, *, site: Site) -> Job:
    """Queues the import of the `.env` that the server has; what it holds wins over what is stored here."""
    actor.require("env:update")
    site = Site.objects.get(pk=site.pk)
    require_standing(site)
    if not site.installed_at:
        raise Conflict("This site is not on its server yet.", "Deploy it first.")
    record(actor, "env.pulled", site)
    return enqueue_job(
        actor,
        kind="pull_environment",
        subject=site,
        label=f"Import the environment of {site.domain}",
        lane=site.lane,
    )
