"""Connected domains as the API shows and takes them."""

from rest_framework import serializers

from deploynix.api.schema import EXAMPLE_ID
from deploynix.api.serializers import Input, Output, Query
from domains.models import RecordType, State, Way
from domains.models.connections import LONGEST_TTL, LONGEST_VALUE, SHORTEST_TTL, USUAL_TTL
from domains.wanted import MOST_RECORDS

_RECORD = {"type": "A", "name": "@", "value": "203.0.113.10", "ttl": USUAL_TTL}


class WantedRecordOutput(Output):
    type = serializers.ChoiceField(choices=RecordType.choices)
    name = serializers.CharField(help_text="Relative to the domain; empty for the domain itself.")
    value = serializers.CharField()
    ttl = serializers.IntegerField()
    put_at = serializers.DateTimeField(allow_null=True, help_text="null where it was not put there by Deploynix.")
    seen_at = serializers.DateTimeField(allow_null=True, help_text="null where not all name servers have it.")
    sight = serializers.CharField(help_text="What the name servers say of it otherwise.")

    example = {
        **_RECORD,
        "name": "",
        "put_at": "2026-04-16T10:25:03Z",
        "seen_at": "2026-04-16T10:25:09Z",
        "sight": "",
    }


class ConflictOutput(Output):
    id = serializers.CharField()
    name = serializers.CharField(help_text="The whole name.")
    type = serializers.ChoiceField(choices=RecordType.choices)
    value = serializers.CharField()
    found_at = serializers.DateTimeField()
    confirmed_at = serializers.DateTimeField(allow_null=True, help_text="When somebody let it be overwritten.")

    example = {
        "id": "01JAZ5S1CONF1CTQ8R3T7V9X2Z",
        "name": "shop.example.com",
        "type": "A",
        "value": "192.0.2.7",
        "found_at": "2026-04-16T10:25:02Z",
        "confirmed_at": None,
    }


class ConnectionOutput(Output):
    id = serializers.CharField()
    application_id = serializers.CharField()
    domain = serializers.CharField()
    way = serializers.ChoiceField(choices=Way.choices)
    state = serializers.ChoiceField(choices=State.choices)
    reason = serializers.CharField(help_text="Why it is pending or failing.")
    credential_id = serializers.CharField(allow_null=True)
    zone = serializers.CharField(help_text="The hosted zone id for route53, the managed zone for gcpdns.")
    apex = serializers.CharField(help_text="The name of the zone, once it was found.")
    conflicts_count = serializers.IntegerField(help_text="Those that wait for somebody to confirm them.")
    checked_at = serializers.DateTimeField(allow_null=True)
    active_at = serializers.DateTimeField(allow_null=True, help_text="When it was active for the first time.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    example = {
        "id": "01JAZ5RXQ4C0NN3CT10NA2B4C6",
        "application_id": EXAMPLE_ID,
        "domain": "shop.example.com",
        "way": "credential",
        "state": "pending",
        "reason": "Values of others stand in the way: confirm that they may be overwritten.",
        "credential_id": "01JAZ5R0M8Q2W4E6T8Y0P2A4SD",
        "zone": "",
        "apex": "example.com",
        "conflicts_count": 1,
        "checked_at": None,
        "active_at": None,
        "created_at": "2026-04-16T10:25:00Z",
        "updated_at": "2026-04-16T10:25:02Z",
    }


class ConnectionQuery(Query):
    state = serializers.ChoiceField(choices=State.choices, required=False)
    domain = serializers.CharField(required=False, max_length=253)


class WantedRecordInput(Input):
    type = serializers.ChoiceField(choices=RecordType.choices)
    name = serializers.CharField(
        max_length=253,
        required=False,
        allow_blank=True,
        help_text="Relative to the domain: www. @ if not given.",
    )
    value = serializers.CharField(max_length=LONGEST_VALUE)
    ttl = serializers.IntegerField(
        min_value=SHORTEST_TTL, max_value=LONGEST_TTL, required=False, help_text=f"{USUAL_TTL} seconds if not given."
    )

    example = _RECORD


class ConnectionInput(Input):
    domain = serializers.CharField(max_length=253)
    way = serializers.ChoiceField(
        choices=Way.choices,
        default=Way.CREDENTIAL.value,
        help_text="credential if not given. domain_connect: a person goes on at the page of the connection.",
    )
    records = serializers.ListField(child=WantedRecordInput(), min_length=1, max_length=MOST_RECORDS)
    credential_id = serializers.CharField(
        max_length=26, required=False, help_text="One that holds the domain is looked for, if not given."
    )
    zone = serializers.CharField(
        max_length=253, required=False, help_text="The hosted zone id for route53, the managed zone for gcpdns."
    )

    example = {"domain": "shop.example.com", "way": "manual", "records": [_RECORD]}


class ApplyInput(Input):
    conflicts = serializers.ListField(
        child=serializers.CharField(max_length=26), required=False, help_text="Ids of those that may be overwritten."
    )

    example = {"conflicts": []}


class DisconnectInput(Input):
    keep_records = serializers.BooleanField(
        required=False, help_text="Leave all as it is, as with a credential that no longer works."
    )

    example = {"keep_records": False}
