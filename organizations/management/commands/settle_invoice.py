"""`manage.py settle_invoice 2026-0042 paid`"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deploynix.errors import Conflict
from organizations.actions import pay_invoice, void_invoice
from organizations.models import Invoice

SETTLE = {"paid": pay_invoice, "void": void_invoice}


class Command(BaseCommand):
    help = "Notes that an open invoice was paid, or takes it back."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number")
        parser.add_argument("status", choices=sorted(SETTLE))

    def handle(self, *args: Any, **options: Any) -> None:
        invoice = Invoice.objects.filter(number=options["number"]).first()
        if invoice is None:
            raise CommandError(f"No invoice has the number {options['number']}.")
        try:
            SETTLE[options["status"]](invoice)
        except Conflict as error:
            raise CommandError(f"{error.message} {error.hint}") from None
        self.stdout.write(f"Invoice {invoice} is {options['status']}.")
