"""Restoring a backup: it is loaded beside what is there, and takes its place once all of it is sound."""

from typing import Any

from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from backups.actions.restores import RESTORE
from backups.download import Download, Task
from backups.exchange import TransferFailed
from backups.models import Backup, Encryption, Restore, Status, Type
from deploynix.actor import system_actor
from deploynix.errors import Conflict, Error
from jobs.actions import enqueue_job
from jobs.kinds import JobKind, Step, register
from jobs.models import Job
from jobs.run import Run
from servers import engines
from servers.kinds.base import note_refusal
from servers.models import Database, DatabaseStatus, GrantStatus
from servers.target import target_of

DISCARD = "discard_restore"
CANCELLED = "It was cancelled."


class RestoreKind(JobKind):
    """What restores and drills have in common: they check, they load, and they leave nothing behind where they fail."""

    queue = "bulk"
    ability = "backup:restore"

    def check(self, run: Run) -> None:
        restore = begin(run, "check")
        do(run, restore, "check", raw_size=restore.backup.raw_size or 0)

    def load(self, run: Run) -> None:
        restore = begin(run, "load")
        if restore.backup.encryption != Encryption.NONE and not restore.identity:
            hint = "Deploynix forgets it when a restore ends. Begin another restore, and give it again."
            raise Conflict("The private key of the backup is not known any more.", hint)
        with Download(run, restore, target_of(restore.server)) as download:
            seconds = download.run_to_end(place_of(restore) | {"identity": restore.identity or ""})
        with run.write():
            Restore.objects.filter(pk=restore.pk).update(seconds=seconds)
        run.line(f"Loaded it in {seconds:.1f} s.")

    def on_succeeded(self, job: Job) -> None:
        restores_of(job).update(stage="", identity=None, finished_at=timezone.now())

    def on_failed(self, job: Job, error: Error) -> None:
        restore = restores_of(job).select_related("server").first()
        if restore is None:
            return
        note_refusal(restore.server_id, error)
        stage = error.stage if isinstance(error, TransferFailed) else restore.stage
        end(job, restore, stage, error.message, error.hint)

    def on_cancelled(self, job: Job) -> None:
        if restore := restores_of(job).first():
            end(job, restore, restore.stage, CANCELLED, "")


@register
class RestoreBackup(RestoreKind):
    name = RESTORE
    steps = (
        Step("check", "See whether it can be restored there"),
        Step("load", "Fetch it and load it beside what is there"),
        Step("swap", "Put it in its place"),
        Step("settle", "Tidy up, and let the users of a database in again"),
    )

    def swap(self, run: Run) -> None:
        restore = begin(run, "swap")
        if not do(run, restore, "swap").get("swapped"):
            run.line("What was loaded has been removed meanwhile. It is loaded again.")
            self.load(run)
            restore = begin(run, "swap")
            if not do(run, restore, "swap").get("swapped"):
                raise Error("What was loaded is gone from the server.", "See who removed it, and retry.")
        if restore.backup.type == Type.DATABASE:
            run.line(f"{restore.name} is what it was at the time of the backup.")

    def settle(self, run: Run) -> None:
        restore = begin(run, "settle")
        if restore.backup.type == Type.DATABASE:
            self._let_users_in(run, note_database(run, restore))
        do(run, restore, "forget")

    def _let_users_in(self, run: Run, database: Database) -> None:
        """Who came after the backup was made is not in it."""
        for grant in database.grants.filter(status=GrantStatus.ACTIVE).select_related("user", "database__server"):
            engines.let_in(run, grant)

    def on_succeeded(self, job: Job) -> None:
        super().on_succeeded(job)
        Backup.objects.filter(restores__job=job, status=Status.COMPLETED).update(status=Status.RESTORED)


@register
class DiscardRestore(JobKind):
    """Removes from the server what a restore that failed has left there, and undoes what it had begun to change."""

    name = DISCARD
    queue = "bulk"
    is_routine = True
    steps = (Step("discard", "Remove what is left of the restore"),)
    # Over about four hours: a server that is away is the likeliest reason for the failure.
    max_retries = 8

    def discard(self, run: Run) -> None:
        restore = restore_of(run)
        do(run, restore, "discard")


def restores_of(job: Job) -> Any:
    return Restore.objects.filter(pk=job.subject_id)


def restore_of(run: Run) -> Restore:
    """Raises Conflict where it is gone, with its backup or its server."""
    rows = Restore.objects.select_related("backup__credential", "server", "database", "site")
    restore = rows.filter(pk=run.job.subject_id).first()
    if restore is None:
        raise Conflict("The restore is no longer known.", "There is nothing left to do.")
    return restore


def begin(run: Run, stage: str) -> Restore:
    """The restore as it is now, with the stage that it has come to, also after it had failed."""
    with run.write():
        restores_of(run.job).update(
            stage=stage,
            started_at=Coalesce(F("started_at"), timezone.now()),
            finished_at=None,
            error="",
            hint="",
        )
    return restore_of(run)


def do(run: Run, restore: Restore, stage: str, **values: Any) -> dict[str, Any]:
    with Task(run, target_of(restore.server), stage) as task:
        return task.do(place_of(restore) | values)


def place_of(restore: Restore) -> dict[str, Any]:
    """What the program on the server has to know: what it is, where it goes, and what is filled first."""
    backup = restore.backup
    common = {"scratch": restore.scratch, "facts": backup.facts, "encryption": backup.encryption}
    if backup.type == Type.DATABASE:
        return common | {"engine": restore.server.database_type, "live": restore.name, "source": backup.name}
    if restore.site is None:
        raise Conflict("The site has been removed.", "There is nothing that could be restored into.")
    site = restore.site
    return common | {"engine": "files", "live": f"{site.folder}/shared/folders", "user": site.username}


def note_database(run: Run, restore: Restore) -> Database:
    """The row of the database that is there now, for sure."""
    with run.write():
        known = {"is_found": True, "is_claimed": True, "status": DatabaseStatus.ACTIVE}
        database, _ = Database.objects.get_or_create(server=restore.server, name=restore.name, defaults=known)
        Database.objects.filter(pk=database.pk).update(
            status=DatabaseStatus.ACTIVE, status_reason="", is_claimed=True, updated_at=timezone.now()
        )
        Restore.objects.filter(pk=restore.pk).update(database=database)
    return database


def end(job: Job, restore: Restore, stage: str, error: str, hint: str) -> None:
    """Says how it ended, forgets the private key, and has what is left on the server removed."""
    Restore.objects.filter(pk=restore.pk).update(
        stage=stage, error=error, hint=hint, identity=None, finished_at=timezone.now()
    )
    if job.started_at and stage != "check":
        enqueue_job(
            system_actor(job.organization),
            kind=DISCARD,
            subject=restore,
            label=f"Remove what is left of the restore of {restore.backup}",
            # Not while a retry makes use of it.
            lane=job.lane,
        )
