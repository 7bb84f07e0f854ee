"""What a provider knows of us: the template that the operator hands in there, and how wanted records fit into it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.templatetags.static import static

from deploynix.errors import Error
from domains.models import RecordType, WantedRecord
from domains.models.connections import OWNERSHIP_LABEL, OWNERSHIP_PREFIX, USUAL_TTL

SERVICE_ID = "connect"
SERVICE_NAME = "Connect a domain"
VERSION = 1
NOT_SET_UP = "The operator of this install has not set it up: DOMAIN_CONNECT_PROVIDER_ID is empty."


class Unfit(Error):
    """The template has no place for what is wanted."""

    status = 422
    code = "no_place_in_template"


@dataclass(frozen=True, slots=True)
class Place:
    """One record of the template, in a group of its own: `variable` is its value, and the group's name."""

    variable: str
    type: RecordType
    host: str
    prefix: str = ""

    def as_record(self) -> dict[str, Any]:
        common = {"groupId": self.variable, "type": self.type.value, "host": self.host or "@", "ttl": USUAL_TTL}
        if self.type == RecordType.TXT:
            return {**common, "data": f"{self.prefix}%{self.variable}%", "txtConflictMatchingMode": "None"}
        return {**common, "pointsTo": f"%{self.variable}%"}

    def holds(self, record: WantedRecord) -> bool:
        return (record.type, record.name) == (self.type, self.host) and record.value.startswith(self.prefix)


PLACES = (
    Place("ipv4", RecordType.A, ""),
    Place("ipv6", RecordType.AAAA, ""),
    Place("alias", RecordType.CNAME, ""),
    Place("wwwipv4", RecordType.A, "www"),
    Place("wwwipv6", RecordType.AAAA, "www"),
    Place("wwwalias", RecordType.CNAME, "www"),
    Place("text", RecordType.TXT, ""),
    Place("token", RecordType.TXT, OWNERSHIP_LABEL, OWNERSHIP_PREFIX),
)


def template() -> dict[str, Any]:
    """As the specification, section "Template Definition", has it: to be given to each provider, as a JSON file."""
    return {
        "providerId": settings.DOMAIN_CONNECT_PROVIDER_ID,
        "providerName": settings.DOMAIN_CONNECT_PROVIDER_NAME,
        "serviceId": SERVICE_ID,
        "serviceName": SERVICE_NAME,
        "version": VERSION,
        "logoUrl": settings.BASE_URL + static("img/mark.svg"),
        "description": "Leads a domain to an application, and shows who connected it.",
        "variableDescription": "Each variable is the value of one record, which is left out where it is not wanted.",
        "syncBlock": False,
        "syncPubKeyDomain": settings.DOMAIN_CONNECT_PROVIDER_ID,
        "syncRedirectDomain": urlsplit(settings.BASE_URL).hostname or "",
        "hostRequired": False,
        "records": [place.as_record() for place in PLACES],
    }


def file_name() -> str:
    return f"{settings.DOMAIN_CONNECT_PROVIDER_ID}.{SERVICE_ID}.json"


def variables_of(records: Iterable[WantedRecord]) -> Mapping[str, str]:
    """The value of each place that is wanted. Raises Unfit."""
    found: dict[str, str] = {}
    for record in records:
        place = next((place for place in PLACES if place.holds(record) and place.variable not in found), None)
        if place is None:
            where = f"a record of the type {record.type} at {record.name or '@'}"
            raise Unfit(f"Domain Connect has no place for {where}.", "Connect the domain in another way.")
        found[place.variable] = record.value.removeprefix(place.prefix)
    return found
