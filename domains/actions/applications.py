"""Applications, and the DNS credentials they bring."""

from collections.abc import Mapping

from django.db import IntegrityError, transaction

from audit.log import changed, record
from deploynix.actor import Actor
from deploynix.errors import Conflict, Invalid
from domains.models import Application, ApplicationCredential
from providers.actions import create_credential
from providers.base import Kind
from providers.models import Credential


@transaction.atomic
def create_application(actor: Actor, *, name: str) -> Application:
    """Raises Denied, Invalid and ValidationError."""
    actor.require_unlimited("provider:create")
    application = Application(organization=actor.organization, name=name.strip())
    _save(application)
    record(actor, "application.created", application)
    return application


@transaction.atomic
def update_application(actor: Actor, *, application: Application, name: str) -> Application:
    """Raises as `create_application`."""
    actor.require_unlimited("provider:update")
    changes = changed({"name": application.name}, {"name": name.strip()})
    application.name = name.strip()
    _save(application)
    if changes:
        record(actor, "application.updated", application, changes)
    return application


@transaction.atomic
def delete_application(actor: Actor, *, application: Application) -> None:
    """Its credentials stay connected. Raises Denied, and Conflict while domains are connected to it."""
    actor.require_unlimited("provider:delete")
    if standing := application.connections.standing().count():
        domains = "A domain is" if standing == 1 else f"{standing} domains are"
        raise Conflict(f"{domains} connected to {application}.", "Disconnect what is connected to it first.")
    record(actor, "application.deleted", application)
    application.delete()


@transaction.atomic
def add_credential(
    actor: Actor,
    *,
    application: Application,
    provider: str,
    name: str = "",
    values: Mapping[str, str] | None = None,
    text: str = "",
) -> Credential:
    """Connects a DNS provider for the application; see `create_credential`. Without a name the credential has that of
    the application and the provider. Raises Conflict where the application was removed meanwhile."""
    application_row = Application.objects.select_for_update().filter(pk=application.pk).first()
    if application_row is None:
        raise Conflict("The application has been removed.")
    credential = create_credential(
        actor,
        kind=Kind.DNS,
        provider=provider,
        name=name or f"{application} {provider}"[:100],
        values=values,
        text=text,
    )
    ApplicationCredential.objects.create(application=application_row, credential=credential)
    return credential


@transaction.atomic
def use_credential(actor: Actor, *, application: Application, credential: Credential) -> None:
    """Lets the application use a DNS credential that is connected already. Raises Denied, and Invalid for another's."""
    actor.require_unlimited("provider:update")
    own = Credential.objects.visible_to(actor).filter(kind=Kind.DNS, pk=credential.pk)
    if not own.exists():
        raise Invalid({"credential_id": ["The selected credential id is invalid."]})
    _, is_new = ApplicationCredential.objects.get_or_create(application=application, credential=credential)
    if is_new:
        record(actor, "application.updated", application, {"credential": [None, str(credential)]})


@transaction.atomic
def drop_credential(actor: Actor, *, application: Application, credential: Credential) -> None:
    """The application no longer uses it; domains that are connected with it stay so. Raises Denied."""
    actor.require_unlimited("provider:update")
    dropped, _ = ApplicationCredential.objects.filter(application=application, credential=credential).delete()
    if dropped:
        record(actor, "application.updated", application, {"credential": [str(credential), None]})


def _save(application: Application) -> None:
    application.full_clean(validate_unique=False, validate_constraints=False)
    taken = {"name": ["The name has already been taken."]}
    others = Application.objects.filter(organization=application.organization_id, name=application.name)
    if others.exclude(pk=application.pk).exists():
        raise Invalid(taken)
    try:
        with transaction.atomic():
            application.save()
    except IntegrityError:
        raise Invalid(taken) from None
