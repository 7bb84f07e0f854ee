"""Applications, the DNS credentials they bring, and the domains they are connected to."""

from collections.abc import Iterator

from domains.models.applications import Application, ApplicationCredential
from domains.models.connections import (
    Connection,
    ConnectionQuerySet,
    Handover,
    RecordConflict,
    RecordType,
    State,
    WantedRecord,
    Way,
)
from providers.models import Credential
from providers.uses import Use

__all__ = [
    "Application",
    "ApplicationCredential",
    "Connection",
    "ConnectionQuerySet",
    "Handover",
    "RecordConflict",
    "RecordType",
    "State",
    "WantedRecord",
    "Way",
    "uses_of_dns_credential",
]


def uses_of_dns_credential(credential: Credential) -> Iterator[Use]:
    for application in Application.objects.filter(credentials=credential).order_by("name"):
        yield Use(f"the application {application}", application.get_absolute_url())
    for connection in credential.connections.select_related("application").order_by("domain"):
        yield Use(f"the domain {connection}", connection.get_absolute_url())
