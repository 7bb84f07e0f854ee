"""Restores on real servers, databases and stores: all of it comes back, or nothing changes."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256
from typing import NamedTuple

import pytest
import zstandard

from backups import download
from backups.actions import restore_backup
from backups.models import Backup, Status
from deploynix.actor import Actor
from jobs.actions import retry_job
from jobs.models import Status as JobStatus
from servers.models import Database, DatabaseStatus, Server
from tests import factories
from tests.lab.restores import (
    AWKWARD,
    backed_up,
    databases,
    failed,
    has_scratch,
    mariadb,
    mariadb_content,
    postgresql_content,
    postgresql_inside,
    psql,
    restored,
    run,
)
from tests.lab.seaweedfs import BUCKET, SeaweedFs
from tests.lab.stores import client_of
from tools.targethost import Host

pytestmark = [pytest.mark.lab, pytest.mark.elsewhere, pytest.mark.django_db(transaction=True)]
NAME = "shop größe"
SETTINGS = """
SELECT d.encoding, d.datcollate, d.datctype, pg_get_userbyid(d.datdba),
       ARRAY(SELECT a::text FROM unnest(d.datacl) AS a ORDER BY 1), d.datconnlimit, s.setconfig,
       shobj_description(d.oid, 'pg_database')
FROM pg_database d LEFT JOIN pg_db_role_setting s ON s.setdatabase = d.oid WHERE d.datname = current_database()
ORDER BY s.setrole
"""


class World(NamedTuple):
    """A database with everything in it that is hard to restore, and a good backup of it."""

    owner: Actor
    server: Server
    host: Host
    database: Database
    backup: Backup
    sql: Callable[..., str]
    content: Callable[[Host, str], str]
    store: SeaweedFs

    @property
    def engine(self) -> str:
        return self.server.database_type

    def now(self) -> str:
        return self.content(self.host, self.database.name)


@pytest.fixture(params=["mariadb", "postgresql"])
def world(request: pytest.FixtureRequest, owner: Actor, store: SeaweedFs) -> World:
    is_mariadb = request.param == "mariadb"
    server, host = request.getfixturevalue("provisioned_host" if is_mariadb else "provisioned_postgresql")
    host.run("systemctl", "start", request.param)
    database = factories.database(server, name=NAME, is_found=True, is_claimed=True)
    sql, content = (mariadb, mariadb_content) if is_mariadb else (psql, postgresql_content)
    if not is_mariadb:
        psql(host, "ALTER SYSTEM SET max_prepared_transactions = 5")
        host.run("systemctl", "restart", "postgresql@15-main")
    if is_mariadb:
        sql(host, f"SET GLOBAL event_scheduler = ON; CREATE DATABASE `{NAME}`")
    else:
        sql(host, f"CREATE ROLE own; CREATE DATABASE \"{NAME}\" OWNER own TEMPLATE template0 LC_COLLATE 'C.UTF-8'")
        sql(host, (AWKWARD / "postgresql_settings.sql").read_text(), NAME)
    sql(host, (AWKWARD / f"{request.param}.sql").read_text(), NAME)
    if is_mariadb:
        # It would change what is compared.
        sql(host, "ALTER EVENT every_second DISABLE; DELETE FROM log", NAME)
    backup = backed_up(owner, store, database=database)
    return World(owner, server, host, database, backup, sql, content, store)


class Fault(NamedTuple):
    """`happening` does it, and undoes it."""

    stage: str
    cause: str
    happening: Callable[[World, Backup], AbstractContextManager[None]]


@contextmanager
def object_changed(world: World, backup: Backup) -> Iterator[None]:
    client, where = client_of(world.store.url), {"Bucket": BUCKET, "Key": backup.key}
    content = client.get_object(**where)["Body"].read()
    client.put_object(**where, Body=content[:2000] + bytes([content[2000] ^ 1]) + content[2001:])
    yield
    client.put_object(**where, Body=content)


@contextmanager
def object_gone(world: World, backup: Backup) -> Iterator[None]:
    client, where = client_of(world.store.url), {"Bucket": BUCKET, "Key": backup.key}
    content = client.get_object(**where)["Body"].read()
    client.delete_object(**where)
    yield
    client.put_object(**where, Body=content)


@contextmanager
def dump_with_an_error(world: World, backup: Backup) -> Iterator[None]:
    """Sent just so: all sums are right."""
    client, where = client_of(world.store.url), {"Bucket": BUCKET, "Key": backup.key}
    content = client.get_object(**where)["Body"].read()
    plain = zstandard.ZstdDecompressor().decompressobj().decompress(content)
    # The last view; or the name of the last thing that is made.
    wrong = plain.replace(b"DROP TABLE IF EXISTS `z_counted`", b"DROP TABEL IF EXISTS `z_counted`").replace(
        b"CREATE PUBLICATION everything", b"CREATE PUBLICATOIN everything"
    )
    assert wrong != plain
    changed = zstandard.compress(wrong)
    client.put_object(**where, Body=changed)
    part = backup.parts.get()
    sums = {"size": len(changed), "sha256": sha256(changed).hexdigest()}
    backup.parts.update(**sums)
    yield
    client.put_object(**where, Body=content)
    backup.parts.update(size=part.size, sha256=part.sha256)


@contextmanager
def store_gone(world: World, backup: Backup) -> Iterator[None]:
    world.store.stop()
    yield
    world.store.start()


@contextmanager
def database_stopped(world: World, backup: Backup) -> Iterator[None]:
    """Until what is left is to be removed."""
    units = {"mariadb": "mariadb", "postgresql": "postgresql@15-main"}
    world.host.run("systemctl", "stop", units[world.engine])
    yield
    world.host.run("systemctl", "start", units[world.engine])


@contextmanager
def too_large(world: World, backup: Backup) -> Iterator[None]:
    Backup.objects.filter(pk=backup.pk).update(raw_size=10**15)
    yield
    Backup.objects.filter(pk=backup.pk).update(raw_size=backup.raw_size)


@contextmanager
def too_new(world: World, backup: Backup) -> Iterator[None]:
    version = str(backup.facts["version"]).replace("10.", "99.").replace("15.", "99.")
    Backup.objects.filter(pk=backup.pk).update(facts=backup.facts | {"version": version})
    yield
    Backup.objects.filter(pk=backup.pk).update(facts=backup.facts)


@contextmanager
def held(world: World, backup: Backup) -> Iterator[None]:
    """By what would be led astray if it changed places."""
    if world.engine == "mariadb":
        tie = f"CREATE TABLE other.t (id INT, FOREIGN KEY (id) REFERENCES `{NAME}`.nothing (id))"
        mariadb(world.host, f"CREATE DATABASE other; {tie}")
    else:
        psql(world.host, "BEGIN; CREATE TABLE prepared (a integer); PREPARE TRANSACTION 'kept'", NAME)
    yield
    if world.engine == "mariadb":
        mariadb(world.host, "DROP DATABASE other")
    else:
        psql(world.host, "ROLLBACK PREPARED 'kept'", NAME)


FAULTS = (
    Fault("download", "Part 1 in the store is not what was sent", object_changed),
    Fault("download", "The store does not give part 1: it answered 404", object_gone),
    Fault("load", "ended with exit code 1. It said: .*(TABEL|PUBLICATOIN)", dump_with_an_error),
    Fault("download", "The store does not give part 1", store_gone),
    Fault("check", "There is too little room in .*: .* GiB are free, and a restore needs 1.* GiB", too_large),
    Fault("check", "which is older than", too_new),
    Fault("check", "Foreign keys of other databases|prepared transaction kept", held),
    Fault("check", "says: ", database_stopped),
)


def damage(world: World) -> None:
    """As a person might have: what is there is not what was backed up, and something is there that was not."""
    if world.engine == "mariadb":
        world.sql(
            world.host,
            "DELETE FROM kinds WHERE id = 1000; DROP VIEW plain; DROP FUNCTION doubled; DROP TRIGGER after_kinds;"
            "CREATE TABLE extra (id INT PRIMARY KEY, n INT DEFAULT NEXTVAL(tickets)); CREATE VIEW v AS SELECT 1 AS a;"
            "CREATE TRIGGER t BEFORE INSERT ON extra FOR EACH ROW SET NEW.id = 1; CREATE PROCEDURE p() SELECT 1;"
            "CREATE VIEW broken AS SELECT * FROM extra; ALTER TABLE extra RENAME TO extra_too",
            world.database.name,
        )
    else:
        world.sql(
            world.host,
            "DELETE FROM kinds WHERE id = 1000; DROP VIEW a_view_on_views; DROP TRIGGER counting ON kinds;"
            "CREATE TABLE extra (id integer PRIMARY KEY); SELECT lo_unlink(4711)",
            world.database.name,
        )


def test_everything_is_as_it_was(world: World) -> None:
    before = world.now()
    damage(world)
    restore = restored(world.owner, world.backup)
    assert world.now() == before
    assert not has_scratch(world.host, world.engine)
    world.backup.refresh_from_db()
    assert (world.backup.status, restore.database, restore.error) == (Status.RESTORED, world.database, "")
    assert restore.seconds
    assert restore.received == world.backup.size


def test_a_database_that_was_dropped_comes_back(world: World) -> None:
    before = world.now()
    if world.engine == "mariadb":
        world.sql(world.host, f"DROP DATABASE `{NAME}`")
    else:
        world.sql(world.host, f'DROP DATABASE "{NAME}"')
    Database.objects.filter(pk=world.database.pk).update(status=DatabaseStatus.MISSING)
    restored(world.owner, world.backup)
    assert world.now() == before
    world.database.refresh_from_db()
    assert world.database.status == DatabaseStatus.ACTIVE


def test_it_can_be_restored_beside_itself(world: World) -> None:
    before = world.now()
    restore = restored(world.owner, world.backup, name="copy")
    assert restore.database
    assert (restore.database.name, restore.database.status) == ("copy", DatabaseStatus.ACTIVE)
    if world.engine == "mariadb":
        # A default that draws from a sequence names its database.
        assert mariadb_content(world.host, "copy") == before.replace(f"`{NAME}`.", "`copy`.")
    else:
        assert postgresql_inside(world.host, "copy") == postgresql_inside(world.host, NAME)
        assert psql(world.host, SETTINGS, "copy") == psql(world.host, SETTINGS, NAME)
    assert world.now() == before


def test_whatever_goes_wrong_nothing_changes_and_a_retry_works(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other, as each begins with the same database and the same backup."""
    monkeypatch.setattr(download, "PATIENCE_SECONDS", 3)
    damage(world)
    before, names = world.now(), databases(world.host, world.engine)
    for fault in FAULTS:
        backup = Backup.objects.get(pk=world.backup.pk)
        restore = restore_backup(world.owner, backup=backup)
        with fault.happening(world, backup):
            failed(restore)
        restore.refresh_from_db()
        assert (restore.stage, bool(re.search(fault.cause, restore.error))) == (fault.stage, True), restore.error
        assert world.now() == before, fault
        assert databases(world.host, world.engine) == names, fault
    assert restore.job
    retry_job(world.owner, job=restore.job)
    assert run(restore.job).status == JobStatus.SUCCEEDED, restore.job.error
    restore.refresh_from_db()
    assert (restore.error, restore.stage) == ("", "")
    assert world.now() != before
    assert databases(world.host, world.engine) == names
