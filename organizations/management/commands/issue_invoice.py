"""`manage.py issue_invoice "Acme" 2026-0042 49.00 EUR "Professional plan, April 2026"`"""

from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from organizations.actions import issue_invoice
from organizations.management.arguments import organization_called
from organizations.money import in_minor_units


class Command(BaseCommand):
    help = "Writes an invoice to an organization, which its owners and admins see under Settings > Billing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("organization", help="its id, or its name where only one has it")
        parser.add_argument("number", help="the invoice's own, which no other one has")
        parser.add_argument("amount", help="for example 49.00")
        parser.add_argument("currency", help="an ISO 4217 code, for example EUR")
        parser.add_argument("description")
        parser.add_argument("--due-in", type=int, default=14, metavar="DAYS", help="14 where it is not given")

    def handle(self, *args: Any, **options: Any) -> None:
        organization = organization_called(options["organization"])
        try:
            invoice = issue_invoice(
                organization,
                number=options["number"],
                description=options["description"],
                amount=in_minor_units(Decimal(options["amount"]), options["currency"]),
                currency=options["currency"],
                due_at=timezone.now() + timedelta(days=options["due_in"]),
            )
        except InvalidOperation:
            raise CommandError(f"{options['amount']} is no amount. Write it like 49.00.") from None
        except (ValueError, OverflowError) as error:
            raise CommandError(str(error)) from None
        except ValidationError as error:
            raise CommandError(" ".join(f"{name}: {' '.join(t)}" for name, t in error.message_dict.items())) from None
        self.stdout.write(f"Invoice {invoice} of {invoice.amount_text} is issued to {organization}.")
