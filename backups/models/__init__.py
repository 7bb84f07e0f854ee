"""Backups, their schedules, and their restores."""

from collections.abc import Iterator

from backups.models.backups import GOOD, OPEN, Backup, BackupPart, Status
from backups.models.outcomes import in_trouble, with_outcomes, with_troubles
from backups.models.restores import Restore, RestoreKind
from backups.models.schedules import Schedule, check_query, default_age_hours
from backups.models.targets import Encryption, Type, lane_of
from providers.models import Credential
from providers.uses import Use

__all__ = [
    "GOOD",
    "OPEN",
    "Backup",
    "BackupPart",
    "Encryption",
    "Restore",
    "RestoreKind",
    "Schedule",
    "Status",
    "Type",
    "check_query",
    "default_age_hours",
    "in_trouble",
    "lane_of",
    "uses_of_storage_credential",
    "with_outcomes",
    "with_troubles",
]


def uses_of_storage_credential(credential: Credential) -> Iterator[Use]:
    """Its schedules, and what is stored with it: without the credential nobody could read that."""
    for schedule in Schedule.objects.filter(credential=credential).select_related("database", "site").order_by("pk"):
        yield Use(f"the backup schedule of {schedule}", schedule.get_absolute_url())
    if stored := Backup.objects.stored().filter(credential=credential).count():
        yield Use("one stored backup" if stored == 1 else f"{stored} stored backups")
