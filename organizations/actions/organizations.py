"""Organizations themselves."""

from django.db import transaction

from accounts.models import User
from audit.log import record
from deploynix.actor import Actor, system_actor
from organizations.models import Membership, Organization, Role


@transaction.atomic
def create_organization(user: User, *, name: str, ip: str | None = None) -> Membership:
    """Makes an organization with `user` as its owner. Raises ValidationError, naming `name`."""
    organization = Organization(name=name.strip())
    organization.full_clean()
    organization.save(force_insert=True)
    membership = Membership.objects.create(organization=organization, user=user, role=Role.OWNER)
    record(membership.as_actor(ip), "organization.created", organization)
    return membership


@transaction.atomic
def add_organization(actor: Actor, *, name: str) -> Organization:
    """Another organization for the user behind a token. Needs organization:create. Raises ValidationError."""
    actor.require_unlimited("organization:create")
    assert actor.user is not None  # noqa: S101 -- every token has one
    organization = create_organization(actor.user, name=name, ip=actor.ip).organization
    # The new organization's own log names the user; this one tells which token did it.
    record(actor, "organization.created", organization)
    return organization


@transaction.atomic
def rename_organization(actor: Actor, *, name: str) -> Organization:
    """Needs organization:update. Raises ValidationError, naming `name`."""
    actor.require_unlimited("organization:update")
    return _change(actor, actor.organization, "name", name.strip())


@transaction.atomic
def set_plan(organization: Organization, *, plan: str) -> Organization:
    """Puts the organization on another plan, in the name of the system. Raises ValidationError, naming `plan`."""
    return _change(system_actor(organization), organization, "plan", plan)


def _change(actor: Actor, organization: Organization, field: str, value: str) -> Organization:
    organization = Organization.objects.select_for_update().get(pk=organization.pk)
    before = getattr(organization, field)
    setattr(organization, field, value)
    organization.full_clean()
    organization.save(update_fields=[field])
    if before != value:
        record(actor, "organization.updated", organization, {field: [before, value]})
    return organization
