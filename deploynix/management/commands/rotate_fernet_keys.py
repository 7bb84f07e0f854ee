"""`manage.py rotate_fernet_keys`, after a new key was put in front of the others in FERNET_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deploynix.rotation import BATCH, columns, rotate


class Command(BaseCommand):
    help = (
        "Encrypts all stored secrets anew under the first of FERNET_KEYS; once that has succeeded, the others can be"
        " taken out. It can be stopped at any time: the next run goes on where this one was."
    )
    # What it would say is what this command finds out by itself, row by row.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--batch", type=int, default=BATCH, metavar="ROWS", help=f"read at a time, {BATCH} if not given"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        unreadable = 0
        for column in columns():
            outcome = rotate(column, max(1, options["batch"]))
            self.stdout.write(f"{outcome}.")
            unreadable += len(outcome.unreadable)
        if unreadable:
            raise CommandError(
                f"{unreadable} could not be read: FERNET_KEYS lacks the key that they were encrypted under."
            )
        self.stdout.write("All is encrypted under the first key. The others are no longer needed.")
