"""The zones of DNS credentials, their records, and what name servers answer."""

from typing import Any

from django.http import HttpRequest

from deploynix.api.exceptions import NotFound
from deploynix.api.operations import operation
from deploynix.api.views import Response
from domains import contents
from domains.actions import add_record, remove_record
from domains.api.zone_serializers import (
    ChangedRecord,
    PropagationQuery,
    RecordInput,
    RecordOutput,
    RecordQuery,
    ServerAnswerOutput,
    ZoneOutput,
    ZoneQuery,
)
from domains.contents import Value, is_zone_name
from providers import errors
from providers.api.base import FAILURES, CredentialView
from providers.api.lists import Items
from providers.base import Kind
from providers.contracts.dns import Zone
from providers.models import Credential

ADDED, REMOVED = "The record is being added.", "The record is being removed."


class ZoneView(CredentialView):
    tag = "Zones"

    def dns(self, pk: str) -> Credential:
        return self.find(self.credentials.filter(kind=Kind.DNS), pk)

    def place(self, pk: str, zone: str) -> tuple[Credential, str]:
        """The credential, and the zone's name; whether it holds such a zone is for the provider to tell."""
        credential = self.dns(pk)
        if not is_zone_name(zone):
            raise NotFound
        return credential, zone.lower()


class Zones(ZoneView):
    abilities = {"GET": "provider:read"}

    @operation("List the zones of a DNS provider", query=ZoneQuery, page=ZoneOutput, others=FAILURES)
    def get(self, request: HttpRequest, dns_provider: str) -> Response:
        """Those that the credential sees, which need not be all that it may change. Remembered for half a minute, as
        records are."""
        credential = self.dns(dns_provider)
        return self._page(Items(contents.zones(credential, **self.query(ZoneQuery))))


class Records(ZoneView):
    abilities = {"GET": "provider:read", "POST": "provider:update"}

    @operation("List the records of a zone", query=RecordQuery, page=RecordOutput, others=FAILURES)
    def get(self, request: HttpRequest, dns_provider: str, zone: str) -> Response:
        """Each value of the types A, AAAA, CNAME and TXT. A zone holds records of other types, too."""
        credential, name = self.place(dns_provider, zone)
        query = self.query(RecordQuery)
        found = contents.records(credential, name, query.get("search", ""), query.get("type", ""))
        return self._page(Items([row for row in found if query.get("name", row["name"]) == row["name"]]))

    @operation("Add a record", input=RecordInput, one=ChangedRecord, status=202, job=True, message=ADDED)
    def post(self, request: HttpRequest, dns_provider: str, zone: str) -> Response:
        """Queues the job that puts the value beside the others of its name, and reads it back. `name` may be relative
        to the zone."""
        credential, name = self.place(dns_provider, zone)
        value, job = add_record(self.actor, credential=credential, zone=name, **self.input(RecordInput))
        return self.accepted(ADDED, job=job, data=changed(value))


class RecordDetail(ZoneView):
    abilities = {"DELETE": "provider:update"}

    @operation("Remove a record", one=ChangedRecord, status=202, job=True, message=REMOVED)
    def delete(self, request: HttpRequest, dns_provider: str, zone: str, record: str) -> Response:
        """Queues the job that takes this one value away. Other values of its name stay."""
        credential, name = self.place(dns_provider, zone)
        try:
            value = Value.of(name, record)
        except errors.NotFound:
            raise NotFound from None
        job = remove_record(self.actor, credential=credential, zone=name, value=value)
        return self.accepted(REMOVED, job=job, data=changed(value))


class Propagation(ZoneView):
    abilities = {"GET": "provider:read"}

    @operation("Show the propagation of a record", query=PropagationQuery, page=ServerAnswerOutput, others=FAILURES)
    def get(self, request: HttpRequest, dns_provider: str, zone: str) -> Response:
        """What each name server of the public zone answers for a name, and what public resolvers do, asked now."""
        credential, apex = self.place(dns_provider, zone)
        query = self.query(PropagationQuery)
        try:
            name = Zone("", apex).own(query.get("name") or apex)
        except errors.NotFound:
            raise NotFound from None
        servers = contents.propagation(credential, name, query["type"])["servers"]
        return self._page(Items([row | {"values": told(row["values"])} for row in servers]))


def changed(value: Value) -> dict[str, Any]:
    return {"id": value.id, "name": value.name, "type": value.type, "value": value.shown}


def told(values: list[str] | None) -> list[str] | None:
    return None if values is None else [contents.shown(value) for value in values]
