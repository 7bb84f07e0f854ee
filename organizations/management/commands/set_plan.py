"""`manage.py set_plan "Acme" professional`"""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from organizations.actions import set_plan
from organizations.management.arguments import organization_called
from organizations.plans import PLANS


class Command(BaseCommand):
    help = "Puts an organization on another plan."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("organization", help="its id, or its name where only one has it")
        parser.add_argument("plan", choices=sorted(PLANS))

    def handle(self, *args: Any, **options: Any) -> None:
        organization = set_plan(organization_called(options["organization"]), plan=options["plan"])
        self.stdout.write(f"{organization} is on the {organization.plan_details.label} plan.")
