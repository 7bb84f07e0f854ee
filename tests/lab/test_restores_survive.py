"""Restores of encrypted backups, and restores whose worker, connection or program is lost on the way."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

import pytest
from django.db import connections

from backups.actions import make_backup, restore_backup
from backups.models import Backup, Encryption, Restore
from deploynix.actor import Actor
from jobs.actions import cancel_job, retry_job
from jobs.models import Job
from jobs.models import Status as JobStatus
from servers.models import Database
from tests import factories
from tests.lab.provisioned import ProvisionedHost
from tests.lab.restores import backed_up, discard, failed, has_scratch, log_of, mariadb, mariadb_content, restored, run
from tests.lab.seaweedfs import SeaweedFs
from tests.lab.stores import Gate, credential
from tests.lab.workers import Workers
from tests.peers import wait_until
from tools.targethost import Host

pytestmark = [pytest.mark.lab, pytest.mark.elsewhere, pytest.mark.django_db(transaction=True)]
FILL = (
    "CREATE TABLE blobs (id INT PRIMARY KEY, data BLOB);"
    " INSERT INTO blobs SELECT seq, RANDOM_BYTES(1024) FROM seq_1_to_20480"
)


class World(NamedTuple):
    owner: Actor
    host: Host
    database: Database
    store: SeaweedFs

    def now(self) -> str:
        return mariadb_content(self.host, self.database.name)


@pytest.fixture
def world(owner: Actor, provisioned_host: ProvisionedHost, store: SeaweedFs) -> World:
    server, host = provisioned_host
    host.run("systemctl", "start", "mariadb")
    database = factories.database(server, name="shop", is_found=True, is_claimed=True)
    mariadb(host, f"CREATE DATABASE {database.name}")
    mariadb(host, FILL, database.name)
    return World(owner, host, database, store)


def keys(host: Host, encryption: Encryption, name: str) -> tuple[str, str]:
    """The public and the private half."""
    if encryption == Encryption.AGE:
        private = host.run("age-keygen").stdout
        return host.run("age-keygen", "-y", stdin=private).stdout.strip(), private
    home = f"/root/gpg-{name}"
    gpg = f"gpg --quiet --batch --homedir {home} --passphrase '' --pinentry-mode loopback"
    host.run("sh", "-c", f"mkdir -m 700 {home}; {gpg} --quick-generate-key {name}@acme.test default default never")
    public, private = (
        host.run("sh", "-c", f"{gpg} --armor --{how}").stdout for how in ("export", "export-secret-keys")
    )
    host.run("rm", "-rf", home)
    return public, private


@pytest.mark.parametrize("encryption", [Encryption.AGE, Encryption.OPENPGP])
def test_an_encrypted_backup_needs_its_own_key(world: World, encryption: Encryption) -> None:
    host = world.host
    recipient, identity = keys(host, encryption, "right")
    _, other = keys(host, encryption, "other")
    backup = backed_up(world.owner, world.store, database=world.database, encryption=encryption, recipient=recipient)
    good = world.now()
    mariadb(host, "DELETE FROM blobs WHERE id < 100", world.database.name)
    before = world.now()

    restore = failed(restore_backup(world.owner, backup=backup, identity=other))
    assert (restore.stage, restore.error) == ("decrypt", "The private key does not open this backup.")
    assert not Restore.objects.filter(identity__isnull=False).exists()
    assert world.now() == before
    assert not has_scratch(host, "mariadb")
    assert restore.job
    retry_job(world.owner, job=restore.job)
    assert "The private key of the backup is not known any more" in run(restore.job).error
    discard(restore)

    with watched(host) as seen:
        restore = restored(world.owner, backup, identity=identity)
    assert world.now() == good
    assert not Restore.objects.filter(identity__isnull=False).exists()
    assert restore.job
    secret = next(line for line in identity.splitlines() if len(line) > 40 and line[0] not in "#-")
    assert secret not in log_of(restore.job)
    assert seen
    assert not any(secret in arguments for arguments in seen)
    assert host.run("grep", "-rlF", "--", secret, "/run", "/tmp", "/var/lib/deploynix", check=False).stdout == ""


@contextmanager
def watched(host: Host) -> Iterator[list[str]]:
    """The arguments of all processes of the host, again and again."""
    seen: list[str] = []
    with ThreadPoolExecutor(1) as pool:
        is_over = False

        def watch() -> None:
            while not is_over:
                seen.append(host.run("ps", "-e", "-ww", "-o", "args").stdout)

        watching = pool.submit(watch)
        try:
            yield seen
        finally:
            is_over = True
            watching.result()


@contextmanager
def loading(world: World, backup: Backup) -> Iterator[tuple[Restore, Future[Job]]]:
    """A restore that is loading, and does not come to an end while the block runs: a lock holds it up."""
    restore = restore_backup(world.owner, backup=backup)
    with slow_loading(world), ThreadPoolExecutor(1) as pool:
        ending = pool.submit(run, restore.job)
        wait_until(lambda: is_loading(world) or ending.done(), 60, "loading")
        yield restore, ending


@contextmanager
def slow_loading(world: World) -> Iterator[None]:
    """The client that loads is stopped as soon as it is there, and goes on afterwards."""
    script = "while sleep 0.05; do pkill -STOP -f '^mariadb .*--database=dnx_scratch_'; done"
    world.host.run("systemd-run", "--quiet", "--unit=hold", "bash", "-c", script)
    try:
        yield
    finally:
        world.host.run("sh", "-c", "systemctl stop hold; pkill -CONT -x mariadb; true", check=False)


def is_loading(world: World) -> bool:
    found = world.host.run("pgrep", "-f", "^mariadb .*--database=dnx_scratch_", check=False)
    return found.returncode == 0


def go_on(world: World) -> None:
    world.host.run("sh", "-c", "systemctl stop hold; pkill -CONT -x mariadb; true")


def test_a_lost_connection_costs_nothing(world: World) -> None:
    good, backup = world.now(), backed_up(world.owner, world.store, database=world.database)
    mariadb(world.host, "DELETE FROM blobs", world.database.name)
    with loading(world, backup) as (_, ending):
        world.host.run("pkill", "-9", "-f", "^sshd: deploynix")
        go_on(world)
        job = ending.result(120)
    assert job.status == JobStatus.SUCCEEDED, f"{job.error}\n{log_of(job)}"
    assert world.now() == good


@pytest.mark.parametrize("program", ["mariadb", "zstd", "unit", "engine"])
def test_what_dies_halfway_changes_nothing(world: World, program: str) -> None:
    backup = backed_up(world.owner, world.store, database=world.database)
    mariadb(world.host, "DELETE FROM blobs WHERE id < 100", world.database.name)
    before = world.now()
    with loading(world, backup) as (restore, ending):
        if program == "unit":
            world.host.run("systemctl", "kill", "-s", "KILL", "--kill-who=main", f"dnx-{restore.job_id}-load")
        elif program == "engine":
            world.host.run("systemctl", "kill", "-s", "KILL", "mariadb")
        else:
            world.host.run("pkill", "-9", "-x", program)
        go_on(world)
        job = ending.result(120)
    assert job.status == JobStatus.FAILED
    world.host.run("systemctl", "restart", "mariadb")
    discard(restore)
    assert world.now() == before
    assert not has_scratch(world.host, "mariadb")
    retry_job(world.owner, job=job)
    assert run(job).status == JobStatus.SUCCEEDED, job.error
    assert world.now() != before


def test_a_full_disk_changes_nothing(world: World) -> None:
    backup = backed_up(world.owner, world.store, database=world.database)
    mariadb(world.host, "DELETE FROM blobs WHERE id < 100", world.database.name)
    before = world.now()
    with loading(world, backup) as (restore, ending):
        folder = f"/var/lib/mysql/{restore.scratch}"
        world.host.run("mount", "-t", "tmpfs", "-o", "size=2M,uid=mysql,gid=mysql,mode=700", "full", folder)
        go_on(world)
        job = ending.result(120)
        world.host.run("umount", folder)
    restore.refresh_from_db()
    assert (job.status, restore.stage) == (JobStatus.FAILED, "load")
    assert "mariadb ended with exit code 1" in restore.error
    discard(restore)
    assert world.now() == before
    assert not has_scratch(world.host, "mariadb")


def test_a_store_that_the_server_does_not_reach(world: World) -> None:
    good = world.now()
    with Gate("127.0.0.1", world.store.url) as gate:
        storage = credential(world.owner.organization, gate.url)
        backup = make_backup(world.owner, database=world.database, credential=storage)
        assert run(backup.job).status == JobStatus.SUCCEEDED
        mariadb(world.host, "DELETE FROM blobs", world.database.name)
        restore = restored(world.owner, backup)
    assert world.now() == good
    assert restore.job
    assert "The server does not reach the store" in log_of(restore.job)


def test_cancelling_changes_nothing(world: World) -> None:
    backup = backed_up(world.owner, world.store, database=world.database)
    mariadb(world.host, "DELETE FROM blobs", world.database.name)
    before = world.now()
    with loading(world, backup) as (restore, ending):
        assert restore.job
        cancel_job(world.owner, job=restore.job)
        job = ending.result(60)
    assert job.status == JobStatus.CANCELLED
    discard(restore)
    assert world.now() == before
    assert not has_scratch(world.host, "mariadb")


def test_a_killed_worker_s_restore_goes_on_and_is_finished_by_another(world: World, workers: Workers) -> None:
    workers.environment["OUTBOUND_ALLOW"] = "10.89.0.0/16,127.0.0.0/8"
    good, backup = world.now(), backed_up(world.owner, world.store, database=world.database)
    mariadb(world.host, "DELETE FROM blobs", world.database.name)
    restore = restore_backup(world.owner, backup=backup)
    with slow_loading(world):
        first = workers.start_worker()
        wait_until(lambda: is_loading(world), 90, "loading")
        workers.kill(first.pid)
        workers.start_worker()
        job = Job.objects.filter(pk=restore.job_id)
        wait_until(lambda: job.filter(attempt=2, status=JobStatus.RUNNING).exists(), 60, "the takeover")
    wait_until(lambda: not job.open().exists(), 120, "the end")
    connections.close_all()
    assert job.get().status == JobStatus.SUCCEEDED, job.get().error
    assert world.now() == good
