"""Restoring backups, and drills: restores into a scratch database that prove them."""

from django.core.exceptions import ValidationError
from django.db import transaction

from audit.log import record
from backups import checks
from backups.models import Backup, Encryption, Restore, RestoreKind, Schedule, Type, check_query, lane_of
from deploynix.actor import Actor
from deploynix.errors import Conflict, Invalid
from jobs.actions import enqueue_job
from servers.models import Database, DatabaseStatus, Server
from sites.models import Site

RESTORE, DRILL = "restore_backup", "drill_backup"
SERVER_REQUIRED = "Choose a server: the one that the backup was made of is gone."


@transaction.atomic
def restore_backup(
    actor: Actor,
    *,
    backup: Backup,
    server: Server | None = None,
    name: str = "",
    site: Site | None = None,
    identity: str = "",
) -> Restore:
    """Queues a restore: of a database into the one called `name` on `server`, of files into `site`; where they are not
    given, to where the backup was made. What is there is replaced once all of the backup is there. `identity` is the
    private key of an encrypted backup.

    Raises Denied, Invalid and Conflict.
    """
    actor.require("backup:restore")
    backup = Backup.objects.select_for_update().get(pk=backup.pk)
    checks.good(backup)
    checks.identity(backup, identity)
    place = _files_of if backup.type == Type.APPLICATION else _database_of
    restore = place(actor, backup, server, name, site)
    if identity:
        restore.identity = f"{identity.strip()}\n"  # type: ignore[assignment]  # the stubs know no encrypted text
    restore.save()
    into = str(restore.site) if restore.site else restore.name
    lane = lane_of(restore.database, restore.site) or f"restore:{restore.server_id}"
    label = f"Restore {backup.name} into {into} on {restore.server}"
    restore.job = enqueue_job(actor, kind=RESTORE, subject=restore, label=label, lane=lane)
    restore.save(update_fields=["job"])
    record(actor, "backup.restored", backup, {"server": [None, restore.server.name], "into": [None, into]})
    return restore


@transaction.atomic
def drill_backup(actor: Actor, *, backup: Backup, query: str = "", schedule: Schedule | None = None) -> Restore:
    """Queues a drill: the backup is restored into a scratch database on its own server, looked at, and thrown away.
    `query` is a SELECT that has to give at least one row there.

    Raises Denied, Invalid and Conflict.
    """
    actor.require("backup:restore")
    backup = Backup.objects.select_for_update().get(pk=backup.pk)
    if backup.type != Type.DATABASE:
        raise Invalid({"backup_id": ["Only databases can be restored into a scratch database."]})
    if backup.encryption != Encryption.NONE:
        raise Invalid({"backup_id": ["An encrypted backup can only be tried by restoring it, with its private key."]})
    _check_query(query)
    checks.good(backup)
    server = _server_for(actor, backup, None)
    restore = Restore(
        organization=actor.organization,
        backup=backup,
        kind=RestoreKind.DRILL,
        schedule=schedule,
        server=server,
        database=backup.database,
        name=backup.name,
        query=query.strip(),
    )
    restore.save()
    # One after the other: each takes as much room as the database, and as much of the machine as a restore.
    lane = f"drill:{server.pk}"
    restore.job = enqueue_job(actor, kind=DRILL, subject=restore, label=f"Try the backup of {backup}", lane=lane)
    restore.save(update_fields=["job"])
    record(actor, "backup.drilled", backup)
    return restore


def drill_schedule(actor: Actor, *, schedule: Schedule, query: str | None = None) -> Restore:
    """A drill of the schedule's newest good backup, by default with the query of the schedule.

    Raises as `drill_backup`, and Conflict where there is no good backup.
    """
    actor.require("backup:restore")
    backup = schedule.backups.good().order_by("-id").first()
    if backup is None:
        raise Conflict(f"There is no good backup of {schedule} yet.", "Make one first.")
    return drill_backup(actor, backup=backup, query=schedule.drill_query if query is None else query, schedule=schedule)


def _database_of(actor: Actor, backup: Backup, server: Server | None, name: str, site: Site | None) -> Restore:
    if site:
        raise Invalid({"site_id": ["This is the backup of a database: choose a server, and a name."]})
    server = _server_for(actor, backup, server)
    name = name or backup.name
    database = Database.objects.filter(server=server, name=name).first()
    if database and database.status not in (DatabaseStatus.ACTIVE, DatabaseStatus.MISSING):
        raise Conflict(f"The database {database} is {database.status}.", "Wait until it is active, or choose a name.")
    if database is None:
        _check_name(name)
    return Restore(organization=actor.organization, backup=backup, server=server, database=database, name=name)


def _files_of(actor: Actor, backup: Backup, server: Server | None, name: str, site: Site | None) -> Restore:
    if server or name:
        raise Invalid({"server_id" if server else "name": ["This is the backup of an application: choose a site."]})
    site = site or backup.site
    if site is None or not Site.objects.visible_to(actor).filter(pk=site.pk).exists():
        raise Invalid({"site_id": ["Choose a site: the one that the backup was made of is gone."]})
    checks.ready(None, site)
    return Restore(organization=actor.organization, backup=backup, server=site.server, site=site)


def _server_for(actor: Actor, backup: Backup, server: Server | None) -> Server:
    """The server that was chosen, or the backup's own; one that the actor sees, and that can take it."""
    server = server or backup.server
    if server is None or not Server.objects.visible_to(actor).filter(pk=server.pk).exists():
        raise Invalid({"server_id": [SERVER_REQUIRED]})
    checks.ready_server(server)
    checks.engine(server, backup.engine)
    return server


def _check_name(name: str) -> None:
    try:
        Database._meta.get_field("name").run_validators(name)
    except ValidationError as error:
        raise Invalid({"name": error.messages}) from None


def _check_query(query: str) -> None:
    if not query:
        return
    try:
        check_query(query)
    except ValidationError as error:
        raise Invalid({"query": error.messages}) from None
