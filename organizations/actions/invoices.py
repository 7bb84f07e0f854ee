"""Invoices, which whoever runs the install writes. All of it is done in the name of the system."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from audit.log import record
from deploynix.actor import system_actor
from deploynix.errors import Conflict
from organizations.models import Invoice, InvoiceStatus, Organization


@transaction.atomic
def issue_invoice(
    organization: Organization, *, number: str, description: str, amount: int, currency: str, due_at: datetime
) -> Invoice:
    """`amount` is in the smallest unit of the currency. Raises ValidationError, naming the field."""
    invoice = Invoice(
        organization=organization,
        number=number.strip(),
        description=description.strip(),
        amount=amount,
        currency=currency,
        due_at=due_at,
    )
    invoice.full_clean()
    invoice.save(force_insert=True)
    record(system_actor(organization), "invoice.issued", invoice, {"amount": [None, invoice.amount_text]})
    return invoice


@transaction.atomic
def pay_invoice(invoice: Invoice) -> Invoice:
    """Notes that the invoice was paid now. Raises Conflict where it is not open."""
    return _settle(invoice, InvoiceStatus.PAID, "invoice.paid")


@transaction.atomic
def void_invoice(invoice: Invoice) -> Invoice:
    """Takes the invoice back; it stays in the list. Raises Conflict where it is not open."""
    return _settle(invoice, InvoiceStatus.VOID, "invoice.voided")


def _settle(invoice: Invoice, status: InvoiceStatus, event: str) -> Invoice:
    invoice = Invoice.objects.select_for_update().get(pk=invoice.pk)
    if invoice.status != InvoiceStatus.OPEN:
        raise Conflict(f"The invoice {invoice} is {invoice.status}.", "Only an open one can be paid or voided.")
    record(system_actor(invoice.organization), event, invoice, {"status": [invoice.status, status.value]})
    invoice.status = status
    invoice.paid_at = timezone.now() if status == InvoiceStatus.PAID else None
    invoice.save(update_fields=["status", "paid_at"])
    return invoice
