"""`manage.py set_plan "Acme" professional`"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q

from organizations.actions import set_plan
from organizations.models import Organization
from organizations.plans import PLANS


class Command(BaseCommand):
    help = "Puts an organization on another plan."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("organization", help="its id, or its name where only one has it")
        parser.add_argument("plan", choices=sorted(PLANS))

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = options["organization"]
        found = list(Organization.objects.filter(Q(pk=wanted) | Q(name=wanted))[:2])
        if not found:
            raise CommandError(f"No organization has the id or name {wanted}.")
        if len(found) > 1:
            raise CommandError(f"More than one organization is called {wanted}. Give the id instead.")
        organization = set_plan(found[0], plan=options["plan"])
        self.stdout.write(f"{organization} is on the {organization.plan_details.label} plan.")
