"""Making a backup: from the server to the store, and back from there to see that it arrived."""

from typing import Any

from django.db.models import F, Value
from django.db.models.functions import Coalesce, Concat
from django.utils import timezone

from backups import exchange, store, verification
from backups.actions.backups import MAKE
from backups.exchange import TransferFailed, Words
from backups.kinds.removing import prune
from backups.models import GOOD, Backup, Status
from backups.store import OrphanStays
from backups.upload import Upload
from deploynix.actor import system_actor
from deploynix.errors import Conflict, Error
from jobs.actions import enqueue_job
from jobs.kinds import JobKind, Step, register
from jobs.models import Job
from jobs.run import Run
from providers.errors import NotFound
from servers import ssh
from servers.kinds.base import note_refusal
from servers.models import Server
from servers.ssh import Target
from servers.target import target_of

ABORT = "abort_upload"
# Counting the bytes of many small files takes its time.
FACTS_SECONDS = 900.0
CANCELLED = "It was cancelled."


@register
class MakeBackup(JobKind):
    name = MAKE
    ability = "backup:create"
    queue = "bulk"
    steps = (
        Step("prepare", "Look at what is to be backed up"),
        Step("upload", "Make the backup and send it to the store"),
        Step("publish", "Put the parts together"),
        Step("verify", "Read it back and check it"),
        Step("prune", "Remove old backups"),
    )

    def prepare(self, run: Run) -> None:
        backup = begin(run, "prepare")
        facts = read_facts(run, target_of(server_of(backup)), source_of(backup))
        with run.write():
            Backup.objects.filter(pk=backup.pk).update(facts=facts)

    def upload(self, run: Run) -> None:
        backup = begin(run, "upload")
        with Upload(run, backup, target_of(server_of(backup))) as upload:
            upload.run_to_end(source_of(backup))

    def publish(self, run: Run) -> None:
        backup = begin(run, "publish")
        try:
            store.complete_upload(store.storage_of(backup), backup)
        except NotFound as error:
            # It was given up when an earlier attempt had failed.
            run.line(f"{error.message} They are sent again.")
            self.upload(run)
            backup = begin(run, "publish")
            store.complete_upload(store.storage_of(backup), backup)
        with run.write():
            Backup.objects.filter(pk=backup.pk).update(upload_id="", sender="")

    def verify(self, run: Run) -> None:
        backup = begin(run, "verify")
        if backup.fault:
            run.line(f"{backup.fault} It is made again.")
            self.upload(run)
            self.publish(run)
            backup = begin(run, "verify")
        verification.verify(run, backup)
        with run.write():
            Backup.objects.filter(pk=backup.pk).update(
                status=Status.COMPLETED, stage="", finished_at=timezone.now(), error="", hint=""
            )

    def prune(self, run: Run) -> None:
        prune(run, backup_of(run).schedule)

    def on_failed(self, job: Job, error: Error) -> None:
        backup = unfinished(job)
        if backup is None:
            return
        if backup.server_id:
            note_refusal(backup.server_id, error)
        stage = error.stage if isinstance(error, TransferFailed) else backup.stage
        end(job, backup, stage, error.message, error.hint)

    def on_cancelled(self, job: Job) -> None:
        if backup := unfinished(job):
            end(job, backup, backup.stage, CANCELLED, "")


@register
class AbortUpload(JobKind):
    """Removes from the store what a backup that failed has left there."""

    name = ABORT
    queue = "provider"
    is_routine = True
    steps = (Step("abort", "Remove the parts of the upload"),)
    # Over about four hours: a store that is down is the likeliest reason for the failure.
    max_retries = 8

    def abort(self, run: Run) -> None:
        backup = backup_of(run)
        if backup.status in GOOD:
            return
        store.abort_upload(store.storage_of(backup), backup.bucket, backup.key, backup.upload_id)
        with run.write():
            Backup.objects.filter(pk=backup.pk).update(upload_id="", sender="")

    def on_failed(self, job: Job, error: Error) -> None:
        """Whoever looks at the backup is to know what it left."""
        backups = Backup.objects.filter(pk=job.subject_id).exclude(status__in=GOOD)
        if isinstance(error, OrphanStays):
            text = f" {error.message} {error.hint}"
            backups.exclude(hint__contains=text).update(hint=Concat(F("hint"), Value(text)))


def backup_of(run: Run) -> Backup:
    """Raises Conflict where it is gone."""
    rows = Backup.objects.select_related("credential", "server", "database", "site", "schedule")
    backup = rows.filter(pk=run.job.subject_id).first()
    if backup is None:
        raise Conflict("The backup is no longer known.", "There is nothing left to do.")
    return backup


def begin(run: Run, stage: str) -> Backup:
    """The backup as it is now, with the stage that it has come to, also after it had failed. Raises Conflict where it
    was removed after that."""
    with run.write():
        rows = Backup.objects.filter(pk=run.job.subject_id)
        if rows.exclude(removing_at=None).exists():
            raise Conflict("The backup has been removed.", "Make another one.")
        rows.update(
            status=Status.IN_PROGRESS,
            stage=stage,
            started_at=Coalesce(F("started_at"), timezone.now()),
            finished_at=None,
            error="",
            hint="",
        )
    return backup_of(run)


def unfinished(job: Job) -> Backup | None:
    """None where it is gone, or where it has become a good one: pruning others may have failed after that."""
    return Backup.objects.filter(pk=job.subject_id).exclude(status__in=GOOD).first()


def end(job: Job, backup: Backup, stage: str, error: str, hint: str) -> None:
    """Says how it ended, and has what is left in the store removed."""
    Backup.objects.filter(pk=backup.pk).update(
        status=Status.FAILED, stage=stage, error=error, hint=hint, finished_at=timezone.now()
    )
    # A worker that was killed may have begun an upload whose id nobody has written down.
    if backup.upload_id or (job.attempt > 1 and backup.stage == "upload"):
        enqueue_job(
            system_actor(job.organization),
            kind=ABORT,
            subject=backup,
            label=f"Remove what is left of the backup of {backup}",
            # Not while a retry makes use of it.
            lane=job.lane,
        )


def server_of(backup: Backup) -> Server:
    """Raises Conflict where it, or what was to be backed up, has been removed."""
    if backup.server is None or (backup.database or backup.site) is None:
        raise Conflict(f"{backup.name} has been removed.", "There is nothing left to back up.")
    return backup.server


def source_of(backup: Backup) -> dict[str, Any]:
    """What the program on the server has to know."""
    how = {"encryption": backup.encryption, "recipient": backup.recipient}
    if backup.site:
        folder = f"{backup.site.folder}/shared/folders"
        return {"engine": "files", "user": backup.site.username, "folder": folder, **how}
    return {"engine": backup.engine, "database": backup.database.name if backup.database else "", **how}


def read_facts(run: Run, target: Target, source: dict[str, Any]) -> dict[str, Any]:
    """What a restore will want to know. Raises TransferFailed where there can be no dump, and as `ssh.run`."""
    values = {"mode": "facts", **source}
    done = ssh.run_script(target, exchange.TRANSFER, values=values, timeout=FACTS_SECONDS, check=False)
    for word in Words().feed(done.output + b"\n"):
        if isinstance(word, bytes):
            run.output(word)
        elif "facts" in word and done.exit_status == 0:
            return dict(word["facts"])
        elif failed := word.get("failed"):
            raise TransferFailed("prepare", run.redact(str(failed["message"])[:2000]), str(failed["hint"])[:500])
    raise TransferFailed("prepare", f"The server could not be examined: exit code {done.exit_status}.", "See the log.")
