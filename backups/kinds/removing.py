"""Deleting what was stored: because somebody asks for it, or because its time is over."""

from django.utils import timezone

from audit.log import record
from backups import checks, store
from backups.actions.backups import REMOVE
from backups.models import Backup, BackupPart, Schedule
from backups.retention import Copy, outlived
from deploynix.errors import Conflict, Error
from jobs.kinds import JobKind, Step, register
from jobs.run import Run


@register
class RemoveBackup(JobKind):
    name = REMOVE
    ability = "backup:delete"
    queue = "provider"
    steps = (Step("remove", "Delete the object"),)

    def remove(self, run: Run) -> None:
        backup = Backup.objects.select_related("credential").filter(pk=run.job.subject_id).first()
        if backup is None:
            raise Conflict("The backup is no longer known.", "There is nothing left to do.")
        delete(run, backup)


def delete(run: Run, backup: Backup) -> None:
    """Deletes the object that the row wrote, under the key that it wrote it to, and nothing else."""
    if backup.upload_id:
        store.abort_upload(store.storage_of(backup), backup.bucket, backup.key, backup.upload_id)
    store.delete(backup)
    with run.write():
        Backup.objects.filter(pk=backup.pk).update(removed_at=timezone.now(), upload_id="")
        BackupPart.objects.filter(backup=backup).delete()
    run.line(f"Deleted {backup.key} from {backup.bucket}.")


def prune(run: Run, schedule: Schedule | None) -> None:
    """Deletes those of the schedule's own backups whose time is over. Call it after one of them has been verified.

    What cannot be deleted now is tried again after the next one, and an alarm tells of it when that goes on.
    """
    if schedule is None:
        return
    for backup in _outlived(schedule):
        run.check()
        try:
            if _take(run, backup):
                delete(run, backup)
        except Error as error:
            run.line(f"{backup.key} could not be deleted: {error.message} {error.hint}")


def _outlived(schedule: Schedule) -> list[Backup]:
    """The oldest first; those whose deletion was begun before come with them."""
    rows = schedule.backups.in_store().select_related("credential").in_bulk()
    going = [backup for backup in rows.values() if backup.removing_at]
    copies = [Copy(row.created_at, row.pk, row.is_good) for row in rows.values() if not row.removing_at]
    return going + [rows[copy.id] for copy in outlived(copies, schedule.policy)]


def _take(run: Run, backup: Backup) -> bool:
    """Marks it as going, so that no restore begins with it; False where one has."""
    with run.write():
        row = Backup.objects.select_for_update().get(pk=backup.pk)
        if row.removed_at or row.is_open or checks.reader_of(row):
            return False
        if row.removing_at is None:
            Backup.objects.filter(pk=row.pk).update(removing_at=timezone.now())
            record(run.actor, "backup.pruned", row, {"key": [row.key, None]})
        return True
