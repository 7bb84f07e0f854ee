"""Makes, deletes and reads databases on a server. Each step may be done again at any time."""

from django.db.models import QuerySet
from django.utils import timezone

from deploynix.errors import Conflict, Error
from jobs.kinds import JobKind, Step, register
from jobs.models import Job
from jobs.run import Run
from servers import engines
from servers.kinds.base import ServerKind, note_refusal
from servers.models import Database, DatabaseStatus, DatabaseUser, Grant, GrantStatus, Server


class DatabaseKind(JobKind):
    """Work whose subject is a database."""

    def database(self, run: Run) -> Database:
        """The database as it is now. Raises Conflict where it was deleted."""
        database = Database.objects.select_related("server").filter(pk=run.job.subject_id).first()
        if database is None:
            raise Conflict("The database has been deleted.", "There is nothing left to do.")
        return database

    def on_failed(self, job: Job, error: Error) -> None:
        if database := Database.objects.filter(pk=job.subject_id).first():
            note_refusal(database.server_id, error)


@register
class CreateDatabase(DatabaseKind):
    """`user` is the id of the user that it is made with, if any: others are let in by jobs of their own."""

    name = "create_database"
    ability = "database:create"
    steps = (
        Step("check", "See that the names are free"),
        Step("create", "Create the database"),
        Step("verify", "See that it is there"),
    )

    def grant(self, run: Run) -> Grant | None:
        return grants_of(run.job).select_related("database__server", "user__server").first()

    def check(self, run: Run) -> None:
        grant = self.grant(run)
        engines.claim(run, self.database(run), grant.user if grant else None)

    def create(self, run: Run) -> None:
        database = self.database(run)
        engines.ask(run, database.server, "create", name=database.name, owner=database.owner_role)
        if grant := self.grant(run):
            engines.let_in(run, grant)

    def verify(self, run: Run) -> None:
        database = self.database(run)
        sizes = engines.sizes_on(run, database.server)
        if database.name not in sizes:
            raise Error(f"{database.server} has no database {database} after all.", "Try again.")
        if grant := self.grant(run):
            engines.prove(run, grant)
        with run.write():
            engines.note_size(database, sizes[database.name])
        run.line(f"{database} is there.")

    def on_succeeded(self, job: Job) -> None:
        change_status(job, DatabaseStatus.ACTIVE)
        settle(grants_of(job))

    def on_failed(self, job: Job, error: Error) -> None:
        super().on_failed(job, error)
        self._give_up(job, f"{error.message} {error.hint}".strip())

    def on_cancelled(self, job: Job) -> None:
        self._give_up(job, "Creating it was cancelled.")

    def _give_up(self, job: Job, reason: str) -> None:
        change_status(job, DatabaseStatus.FAILED, reason)
        grants_of(job).update(status=GrantStatus.FAILED)


@register
class DeleteDatabase(DatabaseKind):
    name = "delete_database"
    ability = "database:delete"
    steps = (
        Step("drop", "Delete it from the server"),
        Step("verify", "See that it is gone"),
        Step("forget", "Remove it from here"),
    )

    def drop(self, run: Run) -> None:
        database = self.database(run)
        if not database.is_claimed:
            run.line("It was never made on the server: there is nothing to delete there.")
            return
        grants = list(database.grants.select_related("user").filter(user__is_claimed=True))
        engines.ask(
            run,
            database.server,
            "drop",
            name=database.name,
            owner=database.owner_role,
            users=[grant.user.name for grant in grants],
            logins=[grant.user.name for grant in grants if engines.is_last(grant)],
        )

    def verify(self, run: Run) -> None:
        database = self.database(run)
        if database.is_claimed and database.name in engines.sizes_on(run, database.server):
            raise Error(f"{database} is still on {database.server}.", "Something may have made it again. Try again.")

    def forget(self, run: Run) -> None:
        database = self.database(run)
        users = list(database.grants.values_list("user_id", flat=True))
        with run.write():
            database.delete()
            forget_idle(users)
        run.line(f"{database} is gone.")

    def on_failed(self, job: Job, error: Error) -> None:
        super().on_failed(job, error)
        self._keep(job, f"{error.message} {error.hint}".strip())

    def on_cancelled(self, job: Job) -> None:
        self._keep(job, "")

    def _keep(self, job: Job, reason: str) -> None:
        """Whether it is still on the server, the next sync tells."""
        is_claimed = Database.objects.filter(pk=job.subject_id, is_claimed=True).exists()
        change_status(job, DatabaseStatus.ACTIVE if is_claimed else DatabaseStatus.FAILED, reason)


@register
class SyncDatabases(ServerKind):
    name = "sync_databases"
    ability = "database:read"
    is_routine = True
    steps = (Step("read", "Read the databases"),)

    def read(self, run: Run) -> None:
        server, began_at = self.server(run), timezone.now()
        before = set(server.databases.values_list("name", flat=True))
        sizes = engines.sizes_on(run, server)
        with run.write():
            known = {row.name: row for row in Database.objects.select_for_update().filter(server=server)}
            for name, size in sizes.items():
                if name in known:
                    note(known[name], size)
                # What was known before and is not now was deleted while the server was asked.
                elif name not in before:
                    add(server, name, size)
            # What changed meanwhile may be newer than the answer.
            gone = server.databases.filter(status=DatabaseStatus.ACTIVE, updated_at__lt=began_at)
            gone.exclude(name__in=sizes).update(status=DatabaseStatus.MISSING, updated_at=timezone.now())
        run.line(f"There are {len(sizes)} databases.")


def add(server: Server, name: str, size: int) -> None:
    Database.objects.create(
        server=server,
        name=name,
        is_found=True,
        is_claimed=True,
        status=DatabaseStatus.ACTIVE,
        size=size,
        read_at=timezone.now(),
    )


def note(database: Database, size: int) -> None:
    """What the server has is there again, or was there when somebody wanted to make one of that name."""
    rows = Database.objects.filter(pk=database.pk)
    rows.update(size=size, read_at=timezone.now())
    rows.filter(status=DatabaseStatus.MISSING).update(status=DatabaseStatus.ACTIVE, updated_at=timezone.now())
    rows.filter(status=DatabaseStatus.FAILED, is_claimed=False).update(
        status=DatabaseStatus.ACTIVE, status_reason="", is_found=True, is_claimed=True, updated_at=timezone.now()
    )


def grants_of(job: Job) -> QuerySet[Grant]:
    """The grant that the job is about, by the `user` of its params."""
    return Grant.objects.filter(database=job.subject_id, user=job.params["user"])


def change_status(job: Job, status: DatabaseStatus, reason: str = "") -> None:
    rows = Database.objects.filter(pk=job.subject_id)
    rows.update(status=status, status_reason=reason, updated_at=timezone.now())


def settle(grants: QuerySet[Grant]) -> None:
    """The server knows them, and their passwords are needed no more."""
    DatabaseUser.objects.filter(grants__in=grants).update(password=None, updated_at=timezone.now())
    grants.update(status=GrantStatus.ACTIVE)


def forget_idle(users: list[str]) -> None:
    """Removes those of the users that may use no database any more, as the server did."""
    DatabaseUser.objects.filter(pk__in=users, grants=None).delete()
