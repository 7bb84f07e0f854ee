"""Zones, their records and the answers of name servers, as the API shows and takes them."""

from rest_framework import serializers

from deploynix.api.serializers import Input, Output, Query
from domains.contents import Value
from domains.models.connections import LONGEST_TTL, LONGEST_VALUE, SHORTEST_TTL, USUAL_TTL
from providers.contracts.dns import TYPES

_RECORD = {"name": "www.example.com", "type": "A", "value": "203.0.113.10"}
_ID = Value(**_RECORD).id


class ZoneOutput(Output):
    name = serializers.CharField()

    example = {"name": "example.com"}


class ZoneQuery(Query):
    search = serializers.CharField(required=False, max_length=255, help_text="Only those with this in their name.")


class ChangedRecord(Output):
    id = serializers.CharField(help_text="Names this value of this name.")
    name = serializers.CharField()
    type = serializers.ChoiceField(choices=sorted(TYPES))
    value = serializers.CharField()

    example = {"id": _ID, **_RECORD}


class RecordOutput(ChangedRecord):
    ttl = serializers.IntegerField(help_text="In seconds; 0 where the provider does not tell.")

    example = {"id": _ID, **_RECORD, "ttl": 300}


class RecordQuery(ZoneQuery):
    name = serializers.CharField(required=False, max_length=255, help_text="Only those of this name, written whole.")
    type = serializers.ChoiceField(choices=sorted(TYPES), required=False)


class RecordInput(Input):
    name = serializers.CharField(max_length=255, help_text="Whole, or relative to the zone; @ is the zone itself.")
    type = serializers.ChoiceField(choices=sorted(TYPES))
    value = serializers.CharField(max_length=LONGEST_VALUE, help_text="A TXT value is plain text, without quotes.")
    ttl = serializers.IntegerField(
        required=False,
        min_value=SHORTEST_TTL,
        max_value=LONGEST_TTL,
        help_text=f"In seconds; {USUAL_TTL}, if not given.",
    )

    example = {"name": "www", "type": "A", "value": "203.0.113.10", "ttl": 300}


class PropagationQuery(Query):
    name = serializers.CharField(required=False, max_length=255, help_text="Written whole; the zone, if not given.")
    type = serializers.ChoiceField(choices=sorted(TYPES), default="A", help_text="A, if not given.")


class ServerAnswerOutput(Output):
    server = serializers.CharField()
    address = serializers.CharField(help_text="The one that was asked; empty for a server without any.")
    is_authoritative = serializers.BooleanField(help_text="Whether it is one of the zone's own, not a resolver.")
    values = serializers.ListField(
        child=serializers.CharField(), allow_null=True, help_text="null where it did not answer."
    )
    error = serializers.CharField()
    hint = serializers.CharField()

    example = {
        "server": "ns1.example.net",
        "address": "198.51.100.53",
        "is_authoritative": True,
        "values": ["203.0.113.10"],
        "error": "",
        "hint": "",
    }
