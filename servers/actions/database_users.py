"""Who may use a database."""

import secrets
import string
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from audit.log import changed, record
from deploynix.actor import Actor
from deploynix.errors import Conflict, Invalid
from jobs.actions import enqueue_job
from jobs.models import Job
from servers import checks
from servers.models import Database, DatabaseStatus, DatabaseUser, Grant, GrantStatus, Privileges, Server

CHANGE_USER = "change_database_user"
CHANGES = ("create_database", CHANGE_USER, "delete_database")
PASSWORD_LENGTH = 32
# No shell, `.env` file or connection string gives any of these a meaning, and policies ask for one of each.
PASSWORD_SIGNS = (string.ascii_lowercase, string.ascii_uppercase, string.digits, "-_")


@transaction.atomic
def create_database_user(
    actor: Actor, *, database: Database, name: str, privileges: str = Privileges.ALL, password: str = ""
) -> tuple[Job, str]:
    """Queues the letting in of a user: a new one, or one of the server's.

    The second value is the password of a new user, made up where none is given; the server's users keep theirs.
    Raises Denied, Invalid, ValidationError and Conflict.
    """
    actor.require("database:update")
    database = _locked(database)
    user, password = let_in(actor, database, name=name, privileges=privileges, password=password)
    return _enqueue(actor, database, user, "grant", f"Let {name} in to {database}"), password


@transaction.atomic
def update_database_user(actor: Actor, *, grant: Grant, privileges: str) -> Job:
    """Queues another set of privileges. Raises Denied, Invalid and Conflict."""
    actor.require("database:update")
    database, user = _locked(grant.database), grant.user
    _require_privileges(privileges)
    require_quiet([user])
    changes = changed({"privileges": grant.privileges}, {"privileges": privileges})
    Grant.objects.filter(pk=grant.pk).update(privileges=privileges, status=GrantStatus.PENDING)
    record(actor, "database.user-updated", database, {"user": [None, user.name], **changes})
    return _enqueue(actor, database, user, "grant", f"Change what {user} may do in {database}")


@transaction.atomic
def change_database_password(actor: Actor, *, grant: Grant, password: str = "") -> tuple[Job, str]:
    """Queues a new password of the user, for all databases of the server; made up where none is given.

    Raises Denied, Invalid and Conflict.
    """
    actor.require("database:update")
    database, user = _locked(grant.database), grant.user
    require_quiet([user])
    password = password or new_password()
    user.password = password  # type: ignore[assignment]
    _check(user)
    DatabaseUser.objects.filter(pk=user.pk).update(password=password, updated_at=timezone.now())
    record(actor, "database.user-password-changed", database, {"user": [None, user.name]})
    return _enqueue(actor, database, user, "password", f"Change the password of {user}"), password


@transaction.atomic
def delete_database_user(actor: Actor, *, grant: Grant) -> Job:
    """Queues that the user is taken out of the database, and off the server where it may use no other.

    Raises Denied and Conflict.
    """
    actor.require("database:update")
    database, user = _locked(grant.database), grant.user
    require_quiet([user])
    Grant.objects.filter(pk=grant.pk).update(status=GrantStatus.REMOVING)
    record(actor, "database.user-deleted", database, {"user": [user.name, None]})
    return _enqueue(actor, database, user, "revoke", f"Take {user} out of {database}")


def let_in(actor: Actor, database: Database, *, name: str, privileges: str, password: str) -> tuple[DatabaseUser, str]:
    """Writes the rows for `create_database_user` and `create_database`. Answers the password of a new user, else ""."""
    _require_privileges(privileges)
    user = DatabaseUser.objects.filter(server=database.server, name=name).first()
    if user is None:
        password = password or new_password()
        user = DatabaseUser(server=database.server, name=name, password=password)
        _check(user)
        user.save()
    else:
        _require_addable(database, user, password)
    Grant.objects.create(database=database, user=user, privileges=privileges)
    changes = changed({}, {"user": name, "privileges": privileges})
    record(actor, "database.user-created", database, changes)
    return user, password


def new_password() -> str:
    while True:
        password = "".join(secrets.choice("".join(PASSWORD_SIGNS)) for _ in range(PASSWORD_LENGTH))
        # With a dash in front, a program could take it for an option.
        if password[0].isalnum() and all(set(password) & set(signs) for signs in PASSWORD_SIGNS):
            return password


def _require_addable(database: Database, user: DatabaseUser, password: str) -> None:
    if Grant.objects.filter(database=database, user=user).exists():
        raise Invalid({"name": [f"{user} may use this database already."]})
    if password:
        raise Invalid({"password": [f"{user} is there already, and keeps the password. It can be changed later."]})
    require_quiet([user])


def _require_privileges(privileges: str) -> None:
    if privileges not in Privileges.values:
        raise Invalid({"privileges": ["The selected privileges is invalid."]})


def require_quiet(users: Iterable[DatabaseUser], besides: Database | None = None) -> None:
    """What is told the server of one user comes one after the other: the last password is the one that was shown, and
    who leaves a database last takes the login along. Work `besides` is in the same lane anyway."""
    grants = Grant.objects.filter(user__in=users).exclude(database=besides)
    jobs = Job.objects.open().filter(subject_type="database", subject_id__in=grants.values("database_id"))
    job = jobs.filter(kind__in=CHANGES).first()
    if job:
        raise Conflict(f"Other work on the user is under way: {job.label}.", "Wait for that job, or cancel it.")


def _check(user: DatabaseUser) -> None:
    try:
        user.full_clean(validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        raise Invalid(error.message_dict) from None


def _locked(database: Database) -> Database:
    """The database, while nobody else changes anything about the server's. Raises Conflict where it cannot change."""
    server = Server.objects.select_for_update().get(pk=database.server_id)
    checks.engine(server)
    database = Database.objects.select_related("server").get(pk=database.pk)
    if database.status == DatabaseStatus.DELETING:
        raise Conflict(f"{database} is being deleted.", "See its job for how far that is.")
    if database.status == DatabaseStatus.MISSING:
        raise Conflict(f"{database} is not on the server any more.", "Restore it, or delete what is left of it here.")
    return database


def _enqueue(actor: Actor, database: Database, user: DatabaseUser, change: str, label: str) -> Job:
    return enqueue_job(
        actor,
        kind=CHANGE_USER,
        subject=database,
        label=f"{label} on {database.server}",
        lane=database.lane,
        params={"user": user.pk, "change": change},
    )
