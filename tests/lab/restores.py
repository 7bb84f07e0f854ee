"""Databases that are hard to dump and to put back, and what is the same about two of them."""

import re
from pathlib import Path

from django.db import connections

from backups.actions import make_backup, restore_backup
from backups.kinds.restoring import DISCARD
from backups.models import Backup, Restore
from deploynix.actor import Actor
from jobs.models import Job
from jobs.models import Status as JobStatus
from jobs.runner import run_job
from tests.lab.seaweedfs import SeaweedFs
from tests.lab.stores import credential
from tools.targethost import Host

AWKWARD = Path(__file__).parent / "awkward"
MARIADB_DUMP = (
    *("mariadb-dump", "--single-transaction", "--quick", "--routines", "--events", "--triggers", "--hex-blob"),
    *("--skip-comments", "--default-character-set=utf8mb4"),
)
# pg_dump makes these up anew each time.
NONCE = re.compile(r"^\\(un)?restrict .*\n", re.MULTILINE)
AS_POSTGRES = ("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--", "env", "--chdir=/")


def mariadb(host: Host, statements: str, database: str = "", *, check: bool = True) -> str:
    options = ["--binary-mode", "--batch", "--skip-column-names", "--default-character-set=utf8mb4"]
    return host.run("mariadb", *options, *([database] if database else []), stdin=statements, check=check).stdout


def psql(host: Host, statements: str, database: str = "postgres", *, check: bool = True) -> str:
    options = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]
    command = [*AS_POSTGRES, f"PGDATABASE={database}", "psql", *options]
    return host.run(*command, stdin=statements, check=check).stdout


def mariadb_content(host: Host, database: str) -> str:
    """Schema and rows, as one text. Views that stand on nothing any more are named in it, and no failure."""
    return host.run(*MARIADB_DUMP, "--force", "--", database, check=False).stdout


def postgresql_content(host: Host, database: str) -> str:
    """Roles' names, owner, grants, settings, schema and rows, as one text."""
    text = host.run(*AS_POSTGRES, f"PGDATABASE={database}", "pg_dump", "--create").stdout
    return NONCE.sub("", text)


def postgresql_inside(host: Host, database: str) -> str:
    """Schema and rows, without what belongs to the database itself."""
    text = host.run(*AS_POSTGRES, f"PGDATABASE={database}", "pg_dump").stdout
    return NONCE.sub("", text)


def databases(host: Host, engine: str) -> set[str]:
    if engine == "mariadb":
        return set(mariadb(host, "SHOW DATABASES").split("\n"))
    return set(psql(host, "SELECT datname FROM pg_database").split("\n"))


def has_scratch(host: Host, engine: str) -> bool:
    return any(name.startswith("dnx_scratch_") for name in databases(host, engine))


def run(job: Job | None) -> Job:
    assert job
    try:
        run_job(job.pk)
    finally:
        connections.close_all()
    job.refresh_from_db()
    return job


def backed_up(actor: Actor, store: SeaweedFs, **what: object) -> Backup:
    backup = make_backup(actor, credential=credential(actor.organization, store.url), **what)  # type: ignore[arg-type]
    job = run(backup.job)
    assert job.status == JobStatus.SUCCEEDED, f"{job.error} {job.hint}\n{log_of(job)}"
    backup.refresh_from_db()
    return backup


def restored(actor: Actor, backup: Backup, **where: object) -> Restore:
    """A restore, run to its good end."""
    restore = restore_backup(actor, backup=backup, **where)  # type: ignore[arg-type]
    job = run(restore.job)
    assert job.status == JobStatus.SUCCEEDED, f"{job.error} {job.hint}\n{log_of(job)}"
    restore.refresh_from_db()
    return restore


def failed(restore: Restore) -> Restore:
    """A restore that was run to a bad end, with what it left removed."""
    job = run(restore.job)
    assert job.status == JobStatus.FAILED, log_of(job)
    discard(restore)
    restore.refresh_from_db()
    return restore


def discard(restore: Restore) -> None:
    for job in Job.objects.open().filter(kind=DISCARD, subject_id=restore.pk):
        assert run(job).status == JobStatus.SUCCEEDED, f"{job.error}\n{log_of(job)}"


def log_of(job: Job) -> str:
    return "".join(job.log.order_by("offset").values_list("text", flat=True))
