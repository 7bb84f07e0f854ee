"""Making and deleting databases on servers, and reading what is there."""

from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.log import record
from deploynix.actor import Actor, system_actor
from deploynix.errors import Conflict, Invalid
from jobs.actions import enqueue_job
from jobs.models import Job
from servers import checks
from servers.actions.database_users import let_in, require_quiet
from servers.models import Database, DatabaseStatus, DatabaseType, DatabaseUser, Privileges, Server, Status

SYNC = "sync_databases"
READ_EVERY = timedelta(days=1)
# Of the servers that are due, so many are read at a time.
BATCH = 50


@transaction.atomic
def create_database(
    actor: Actor,
    *,
    server: Server,
    name: str,
    user: str = "",
    privileges: str = Privileges.ALL,
    password: str = "",
) -> tuple[Database, str]:
    """Queues the making of a database, which lets the user in where one is named: a new one, or one of the server's.

    The second value is the password of a new user, made up where none is given; the server's users keep theirs.
    Raises Denied, Invalid, ValidationError and Conflict.
    """
    actor.require("database:create")
    server = _locked(server)
    checks.engine(server)
    database = Database(server=server, name=name)
    _save(database)
    record(actor, "database.created", database, {"server": [None, server.name]})
    first = _let_in(actor, database, user, privileges, password) if user else None
    params = {"user": first[0].pk if first else None}
    _enqueue(actor, database, "create_database", f"Create the database {name} on {server}", params)
    return database, first[1] if first else ""


@transaction.atomic
def delete_database(actor: Actor, *, database: Database) -> Job:
    """Queues the removal of the database with all that is in it, and of users who may use no other.

    Raises Denied and Conflict.
    """
    actor.require("database:delete")
    server = _locked(database.server)
    checks.engine(server)
    database = Database.objects.select_for_update().get(pk=database.pk)
    if database.status == DatabaseStatus.DELETING:
        raise Conflict(f"{database} is being deleted already.", "See its job for how far that is.")
    require_quiet(DatabaseUser.objects.filter(grants__database=database), besides=database)
    Database.objects.filter(pk=database.pk).update(
        status=DatabaseStatus.DELETING, status_reason="", updated_at=timezone.now()
    )
    record(actor, "database.deleted", database, {"server": [server.name, None]})
    return _enqueue(actor, database, "delete_database", f"Delete the database {database} from {server}")


@transaction.atomic
def sync_databases(actor: Actor, *, server: Server) -> Job:
    """Queues the reading of what databases the server has, unless that is under way. Raises Denied and Conflict."""
    actor.require("database:read")
    server = _locked(server)
    checks.engine(server)
    return checks.open_job(server, SYNC) or enqueue_job(
        actor, kind=SYNC, subject=server, label=f"Read the databases of {server}", lane=f"databases:{server.pk}"
    )


def sync_due_servers() -> int:
    """Queues the reading of servers with a database that nobody has read for a day; how many."""
    latest = timezone.now() - READ_EVERY
    tried = Job.objects.filter(subject_type="server", kind=SYNC, created_at__gt=latest).values("subject_id")
    ready = Server.objects.exclude(database_type=DatabaseType.NONE).exclude(provisioned_at=None)
    due = ready.exclude(status=Status.DELETING).exclude(pk__in=tried).select_related("organization")
    batch = list(due.order_by("pk")[:BATCH])
    for server in batch:
        sync_databases(system_actor(server.organization), server=server)
    return len(batch)


def _locked(server: Server) -> Server:
    return Server.objects.select_for_update().get(pk=server.pk)


def _let_in(actor: Actor, database: Database, user: str, privileges: str, password: str) -> tuple[DatabaseUser, str]:
    try:
        return let_in(actor, database, name=user, privileges=privileges, password=password)
    except Invalid as error:
        # Here the name is that of the database.
        raise Invalid({"user" if name == "name" else name: texts for name, texts in error.errors.items()}) from None


def _save(database: Database) -> None:
    database.full_clean(validate_unique=False, validate_constraints=False)
    others = Database.objects.filter(server=database.server, name=database.name)
    taken = Invalid({"name": ["The name has already been taken."]})
    if others.exists():
        raise taken
    try:
        with transaction.atomic():
            database.save()
    except IntegrityError:
        # A sync has just found one of that name.
        raise taken from None


def _enqueue(actor: Actor, database: Database, kind: str, label: str, params: dict[str, Any] | None = None) -> Job:
    return enqueue_job(actor, kind=kind, subject=database, label=label, lane=database.lane, params=params)
