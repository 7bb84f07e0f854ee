"""Making backups, having them verified, fetched and removed."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from django.db import transaction
from django.utils import timezone

from audit.log import record
from backups import checks, store
from backups.models import Backup, Encryption, Schedule, Type, lane_of
from deploynix.actor import Actor
from deploynix.dry_run import is_dry_run
from deploynix.errors import Conflict
from jobs.actions import enqueue_job
from jobs.models import Job
from providers.contracts.storage import StorageProvider
from providers.models import Credential
from servers.models import Database, DatabaseType
from sites.models import Site

MAKE, VERIFY, REMOVE = "make_backup", "verify_backup", "remove_backup"
DOWNLOAD_SECONDS = 900
ENDINGS = {Encryption.NONE: "", Encryption.AGE: ".age", Encryption.OPENPGP: ".gpg"}
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Download:
    """Where whoever has the address gets the object, without another proof, until `expires_at`."""

    url: str
    expires_at: datetime


@transaction.atomic
def make_backup(
    actor: Actor,
    *,
    database: Database | None = None,
    site: Site | None = None,
    credential: Credential,
    encryption: str = Encryption.NONE,
    recipient: str = "",
    schedule: Schedule | None = None,
) -> Backup:
    """Queues a backup of a database, or of the files of a site. `recipient` is the public key that it is encrypted for.

    Raises Denied, Invalid, ValidationError, and Conflict where the target is not ready.
    """
    actor.require("backup:create")
    kind = checks.one_target(database, site)
    server = checks.server_of(actor, database, site)
    checks.storage(actor, credential)
    checks.ready(database, site)
    backup = Backup(
        organization=actor.organization,
        type=kind,
        schedule=schedule,
        server=server,
        database=database,
        site=site,
        name=str(database or site),
        server_name=server.name,
        engine=server.database_type if database else "",
        credential=credential,
        encryption=encryption,
        recipient=recipient,
    )
    # Where it is does not change with the credential: what was stored stays where it was put.
    storage = cast(StorageProvider, credential.declaration(credential.settings))
    backup.bucket, backup.key = storage.bucket, storage.key_of(_name_of(backup))
    backup.full_clean(validate_unique=False, validate_constraints=False)
    label = f"Back up {backup.name} of {server}"
    backup.save()
    backup.job = enqueue_job(actor, kind=MAKE, subject=backup, label=label, lane=lane_of(database, site))
    backup.save(update_fields=["job"])
    record(actor, "backup.created", backup, {"credential": [None, credential.name], "key": [None, backup.key]})
    return backup


@transaction.atomic
def verify_backup(actor: Actor, *, backup: Backup) -> Job:
    """Queues reading it back from its store, or finds the job that does. Raises Denied and Conflict."""
    actor.require("backup:restore")
    backup = _locked(backup)
    checks.stored(backup)
    record(actor, "backup.checked", backup)
    known = Job.objects.open().about(backup).filter(kind=VERIFY).first()
    return known or enqueue_job(
        actor, kind=VERIFY, subject=backup, label=f"Verify the backup of {backup}", lane=backup.lane
    )


@transaction.atomic
def remove_backup(actor: Actor, *, backup: Backup) -> Job:
    """Queues the deletion of its object. The row stays, for what was done with it.

    Raises Denied, and Conflict where it is being made, read or removed, or has been removed.
    """
    actor.require("backup:delete")
    backup = _locked(backup)
    if backup.removed_at:
        raise Conflict("This backup has been removed.", "There is nothing left to delete.")
    if backup.is_open:
        raise Conflict("This backup is being made.", "Cancel its job first, or wait for it.")
    if job := checks.reader_of(backup) or Job.objects.open().about(backup).filter(kind=REMOVE).first():
        raise Conflict(f"This backup is in use: {job.label}.", "Wait for that job, or cancel it.")
    backup.removing_at = timezone.now()
    backup.save(update_fields=["removing_at"])
    record(actor, "backup.deleted", backup, {"key": [backup.key, None]})
    return enqueue_job(actor, kind=REMOVE, subject=backup, label=f"Remove the backup of {backup}", lane=backup.lane)


def download_backup(actor: Actor, *, backup: Backup) -> Download:
    """An address that opens the object for a quarter of an hour. Raises Denied, Conflict and Unopenable."""
    actor.require("backup:read")
    checks.stored(backup)
    expires_at = timezone.now() + timedelta(seconds=DOWNLOAD_SECONDS)
    url = store.download_url(backup, DOWNLOAD_SECONDS)
    record(actor, "backup.downloaded", backup)
    # That of a dry run is like a live one, but for the signature.
    return Download(url.partition("?")[0] if is_dry_run() else url, expires_at)


def _locked(backup: Backup) -> Backup:
    return Backup.objects.select_for_update().get(pk=backup.pk)


def _name_of(backup: Backup) -> str:
    """What the object is called below the credential's prefix: no two backups share one."""
    ending = ".tar"
    if backup.type == Type.DATABASE:
        ending = ".dump" if backup.engine == DatabaseType.POSTGRESQL else ".sql"
    made = f"{backup.created_at:%Y%m%dT%H%M%SZ}-{backup.pk}"
    return (
        f"{_safe(backup.server_name)}/{_safe(backup.name)}/{made}{ending}.zst{ENDINGS[Encryption(backup.encryption)]}"
    )


def _safe(name: str) -> str:
    """As a part of a path, which some stores and tools read as one: no slash, and no dot at its start."""
    return _UNSAFE.sub("-", name).lstrip(".") or "-"
