"""Organizations, which API keys call teams, and invoices."""

from rest_framework import serializers

from deploynix.api.schema import EXAMPLE_ID
from deploynix.api.serializers import Input, Output
from organizations.models import InvoiceStatus


class TeamOutput(Output):
    id = serializers.CharField()
    name = serializers.CharField()
    plan = serializers.CharField()
    members_count = serializers.IntegerField()
    created_at = serializers.DateTimeField()

    example = {
        "id": EXAMPLE_ID,
        "name": "Analytical Engines",
        "plan": "enterprise",
        "members_count": 3,
        "created_at": "2026-04-16T10:25:00Z",
    }


class TeamInput(Input):
    name = serializers.CharField(max_length=255)

    example = {"name": "Analytical Engines"}


class TeamChanges(TeamInput):
    name = serializers.CharField(max_length=255, required=False)


class InvoiceOutput(Output):
    id = serializers.CharField()
    number = serializers.CharField()
    description = serializers.CharField()
    amount = serializers.IntegerField(help_text="In the smallest unit of the currency, for example cents.")
    currency = serializers.CharField(help_text="Its ISO 4217 code.")
    status = serializers.ChoiceField(choices=InvoiceStatus.choices)
    issued_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField()
    paid_at = serializers.DateTimeField(allow_null=True)

    example = {
        "id": EXAMPLE_ID,
        "number": "2026-0042",
        "description": "Professional plan, April 2026",
        "amount": 4900,
        "currency": "EUR",
        "status": "paid",
        "issued_at": "2026-04-01T08:00:00Z",
        "due_at": "2026-04-15T08:00:00Z",
        "paid_at": "2026-04-03T12:30:00Z",
    }
