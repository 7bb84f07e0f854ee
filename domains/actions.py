"""Applications, and the DNS credentials they bring."""

from collections.abc import Mapping

from django.db import IntegrityError, transaction

from audit.log import record
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
    application.full_clean(validate_unique=False, validate_constraints=False)
    taken = {"name": ["The name has already been taken."]}
    if Application.objects.filter(organization=actor.organization, name=application.name).exists():
        raise Invalid(taken)
    try:
        with transaction.atomic():
            application.save()
    except IntegrityError:
        raise Invalid(taken) from None
    record(actor, "application.created", application)
    return application


@transaction.atomic
def delete_application(actor: Actor, *, application: Application) -> None:
    """Its credentials stay connected. Raises Denied."""
    actor.require_unlimited("provider:delete")
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
