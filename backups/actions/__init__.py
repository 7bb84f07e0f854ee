"""Every change of state of backups, their schedules and restores."""

from backups.actions.backups import (
    Download,
    download_backup,
    make_backup,
    remove_backup,
    verify_backup,
)
from backups.actions.restores import drill_backup, drill_schedule, restore_backup
from backups.actions.schedules import (
    SETTINGS,
    create_schedule,
    delete_schedule,
    run_due_drills,
    run_due_schedules,
    run_schedule,
    update_schedule,
)
from backups.alarms import raise_alarms

__all__ = [
    "SETTINGS",
    "Download",
    "create_schedule",
    "delete_schedule",
    "download_backup",
    "drill_backup",
    "drill_schedule",
    "make_backup",
    "raise_alarms",
    "remove_backup",
    "restore_backup",
    "run_due_drills",
    "run_due_schedules",
    "run_schedule",
    "update_schedule",
    "verify_backup",
]
