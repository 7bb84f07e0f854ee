"""Where the records of a connection are written: the credential, its adapter, and the zone at the provider."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from domains.models import Connection
from domains.zones import credential_for
from providers.contracts.dns import DnsProvider, Zone
from providers.errors import NotFound, ProviderError
from providers.models import Credential, Status

# The field of a credential that names the one zone it is for.
ZONE_FIELDS = {"route53": "zone", "gcpdns": "managed_zone"}


@dataclass(frozen=True, slots=True)
class Place:
    credential: Credential
    adapter: DnsProvider
    zone: Zone


def place_of(connection: Connection, said: Callable[[str], None]) -> Place:
    """The connection's own credential, else one that its application uses, else any of the organization's.

    Raises ProviderError, NotFound where none of them holds the domain.
    """
    if connection.credential:
        return _place(connection.credential, connection)
    offered = connection.application.credentials.order_by("pk")
    for credential in sorted(offered, key=lambda row: row.status != Status.OK):
        try:
            return _place(credential, connection)
        except ProviderError as error:
            said(f"{credential}: {error.message}")
    return _place(credential_for(connection.organization, connection.domain)[0], connection)


def _place(credential: Credential, connection: Connection) -> Place:
    field = ZONE_FIELDS.get(credential.provider)
    chosen = {field: connection.zone} if field and connection.zone else {}
    adapter = cast(DnsProvider, credential.declaration({**credential.values, **chosen}))
    zone = adapter.find_zone(connection.domain)
    if connection.zone and not field and connection.zone not in (zone.id, zone.name):
        raise NotFound(
            f"{connection.domain} is in the zone {zone.name} of {credential}, not in {connection.zone}.",
            "Connect the domain without naming a zone, or with the zone that holds it.",
        )
    return Place(credential, adapter, zone)
