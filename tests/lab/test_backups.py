"""Backups on real servers, databases and stores: what was dumped arrives whole, or says why it did not."""

import hashlib
import random
import re
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

import pytest
import zstandard
from django.db import connections
from django.utils import timezone

from backups import parts, store, upload
from backups.actions import make_backup
from backups.kinds.making import ABORT
from backups.models import Backup, Encryption, Status
from deploynix.actor import Actor
from jobs.actions import cancel_job, retry_job
from jobs.models import Job, JobLog
from jobs.models import Status as JobStatus
from jobs.runner import run_job
from providers.contracts.storage import StorageProvider
from servers.models import Database
from sites.models import Site
from tests import factories
from tests.examples import rounds
from tests.lab.provisioned import ProvisionedHost
from tests.lab.seaweedfs import BUCKET, SeaweedFs
from tests.lab.stores import Gate, client_of, credential, unfinished_uploads
from tests.lab.workers import Workers
from tests.peers import wait_until
from tools.targethost import Host

pytestmark = [pytest.mark.lab, pytest.mark.elsewhere, pytest.mark.django_db(transaction=True)]

# Of random bytes, which no compression makes smaller: far more than what is under way at once.
MIB = 56
FILL = """CREATE TABLE blobs (id INT PRIMARY KEY, data BLOB);
INSERT INTO blobs SELECT seq, RANDOM_BYTES(1024) FROM seq_1_to_57344;"""
MEMORY = re.compile(r"(\d+) MiB of memory")


@pytest.fixture
def database(provisioned_host: ProvisionedHost) -> Database:
    server, host = provisioned_host
    row = factories.database(server, name="shop")
    # The host has just been started: this waits until the database is up.
    host.run("systemctl", "start", "mariadb")
    host.run("mariadb", "-e", f"CREATE DATABASE {row.name}")
    host.run("mariadb", row.name, "-e", FILL)
    return row


@pytest.fixture
def site(provisioned_host: ProvisionedHost) -> Site:
    """With an empty folder that its releases share."""
    server, host = provisioned_host
    row = factories.site(server, username="shop", installed_at=timezone.now())
    host.run("useradd", "--create-home", row.username)
    host.run("install", "-d", "-o", row.username, f"{row.folder}/shared/folders/uploads")
    return row


class World(NamedTuple):
    owner: Actor
    host: Host
    backup: Backup
    gate: Gate
    store: SeaweedFs


@pytest.fixture
def world(
    owner: Actor,
    provisioned_host: ProvisionedHost,
    database: Database,
    gate: Gate,
    store: SeaweedFs,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    """A backup that waits for its turn; its way to the store leads through the gate."""
    monkeypatch.setattr(upload, "PATIENCE_SECONDS", 5)
    backup = make_backup(owner, database=database, credential=credential(owner.organization, gate.url))
    return World(owner, provisioned_host.host, backup, gate, store)


def run(backup: Backup) -> Backup:
    """To the end, with the attempts that are made by themselves."""
    assert backup.job
    job = Job.objects.filter(pk=backup.job.pk)
    try:
        while job.open().exists():
            job.update(run_after=timezone.now())
            run_job(backup.job.pk)
    finally:
        connections.close_all()
    backup.refresh_from_db()
    return backup


@contextmanager
def running(world: World, held_at: int) -> Iterator[Future[Backup]]:
    """The backup under way, with nothing of this part and those behind it stored until the gate is opened."""
    world.gate.hold_from(held_at)
    with ThreadPoolExecutor(1) as pool:
        ending = pool.submit(run, world.backup)
        try:
            wait_until(lambda: world.gate.holds_at(held_at) or ending.done(), 60, "the part")
            yield ending
        finally:
            world.gate.opened.set()


def log_of(backup: Backup) -> str:
    return "".join(JobLog.objects.filter(job=backup.job).values_list("text", flat=True))


def stored(backup: Backup, url: str) -> bytes:
    content: bytes = client_of(url).get_object(Bucket=BUCKET, Key=backup.key)["Body"].read()
    return content


def is_stored(backup: Backup, url: str) -> bool:
    return bool(client_of(url).list_objects_v2(Bucket=BUCKET, Prefix=backup.key).get("KeyCount"))


def run_aborts() -> None:
    """What the failed have queued."""
    Job.objects.filter(kind=ABORT).update(run_after=timezone.now())
    for job in Job.objects.open().filter(kind=ABORT):
        run_job(job.pk)
        job.refresh_from_db()
        assert job.status == JobStatus.SUCCEEDED, job.error


def assert_complete(backup: Backup, url: str) -> None:
    assert backup.status == Status.COMPLETED, f"{backup.error} {backup.hint}\n{log_of(backup)}"
    content = stored(backup, url)
    assert (len(content), hashlib.sha256(content).hexdigest()) == (backup.size, backup.sha256)
    assert (backup.upload_id, backup.error, backup.fault) == ("", "", "")
    assert unfinished_uploads(url) == []


def assert_failed(world: World, stage: str, cause: str) -> None:
    """It says where and why, nothing of it is in the store, and once more it succeeds."""
    backup, url = world.backup, world.store.url
    assert (backup.status, backup.stage) == (Status.FAILED, stage), f"{backup.error}\n{log_of(backup)}"
    assert re.search(cause, backup.error), backup.error
    run_aborts()
    assert unfinished_uploads(url) == []
    assert not is_stored(backup, url)
    assert "dnx-" not in world.host.run("ls", "/var/lib/deploynix/units").stdout
    world.gate.rule = lambda number, times: None
    assert backup.job
    retry_job(world.owner, job=backup.job)
    assert_complete(run(backup), url)


def test_a_database_arrives_whole(owner: Actor, database: Database, store: SeaweedFs) -> None:
    backup = run(make_backup(owner, database=database, credential=credential(owner.organization, store.url)))
    assert_complete(backup, store.url)
    content = stored(backup, store.url)
    assert backup.raw_size == len(zstandard.ZstdDecompressor().decompressobj().decompress(content))
    assert backup.raw_size > MIB * parts.MIB
    assert backup.facts["version"].startswith("10.11")
    assert backup.facts["charset"] == "utf8mb4"
    sizes = list(backup.parts.values_list("size", flat=True))
    assert set(sizes[:-1]) == {parts.SMALLEST}
    assert sum(sizes) == backup.size == backup.sent
    end = 0
    for part in backup.parts.all():
        assert part.md5 == hashlib.md5(content[end : end + part.size], usedforsecurity=False).hexdigest()
        end += part.size
        assert part.sha256 == hashlib.sha256(content[:end]).hexdigest()
    # Neither an address that was signed, nor what signs it.
    log = log_of(backup)
    assert "X-Amz" not in log
    assert "the-secret" not in log
    assert "@{" not in log


def test_postgresql(owner: Actor, provisioned_postgresql: ProvisionedHost, store: SeaweedFs) -> None:
    server, host = provisioned_postgresql
    host.run("systemctl", "start", "postgresql@15-main")
    statements = (
        'CREATE ROLE "Grüße" LOGIN;\nCREATE DATABASE "Käse; \'--" OWNER "Grüße";\n\\c "Käse; \'--"\n'
        "CREATE EXTENSION pg_trgm;\nCREATE TABLE t AS SELECT generate_series(1, 1000) AS n;\nSELECT lo_create(42);\n"
        "ALTER DATABASE \"Käse; '--\" SET timezone = 'Europe/Berlin';\n"
    )
    host.run("runuser", "-u", "postgres", "--", "psql", "-v", "ON_ERROR_STOP=1", stdin=statements)
    row = factories.database(server, name="Käse; '--")
    backup = run(make_backup(owner, database=row, credential=credential(owner.organization, store.url)))
    assert_complete(backup, store.url)
    facts = backup.facts
    assert (facts["owner"], facts["roles"], facts["encoding"]) == ("Grüße", ["Grüße"], "UTF8")
    assert facts["settings"] == [{"role": None, "settings": ["TimeZone=Europe/Berlin"]}]
    assert {"name": "pg_trgm", "version": "1.6"} in facts["extensions"]


def test_the_files_of_a_site(owner: Actor, provisioned_host: ProvisionedHost, site: Site, store: SeaweedFs) -> None:
    host = provisioned_host.host
    folder = f"{site.folder}/shared/folders/uploads"
    fill = f"echo hello >{folder}/note; ln -s /etc/shadow {folder}/link"
    host.run("runuser", "-u", site.username, "--", "sh", "-c", fill)
    backup = run(make_backup(owner, site=site, credential=credential(owner.organization, store.url)))
    assert_complete(backup, store.url)
    listed = host.run("sh", "-c", 'curl --silent --fail "$(cat)" | zstd -d | tar -tv', stdin=store_url(backup)).stdout
    assert "./uploads/note" in listed
    assert "./uploads/link -> /etc/shadow" in listed

    host.run("sh", "-c", f"echo secret >{folder}/others; chmod 600 {folder}/others; chown root {folder}/others")
    backup = run(make_backup(owner, site=site, credential=backup.credential))
    assert (backup.status, backup.stage) == (Status.FAILED, "dump")
    assert "others: Cannot open: Permission denied" in backup.error


def store_url(backup: Backup) -> str:
    return store.download_url(backup, 60)


@pytest.fixture
def far_world(owner: Actor, provisioned_host: ProvisionedHost, database: Database, store: SeaweedFs) -> Iterator[World]:
    """A backup to a store that the server does not reach by itself."""
    with Gate("127.0.0.1", store.url) as gate:
        backup = make_backup(owner, database=database, credential=credential(owner.organization, gate.url))
        yield World(owner, provisioned_host.host, backup, gate, store)


def listening(host: Host) -> set[str]:
    return set(host.run("ss", "-Hltn").stdout.split())


def test_a_store_that_the_server_does_not_reach(far_world: World) -> None:
    before = listening(far_world.host)
    assert_complete(run(far_world.backup), far_world.store.url)
    assert "The server does not reach the store" in log_of(far_world.backup)
    assert far_world.gate.seen.total() == far_world.backup.parts.count()
    # The port is gone with the job.
    assert listening(far_world.host) == before


@pytest.mark.parametrize("encryption", [Encryption.AGE, Encryption.OPENPGP])
def test_encrypted_for_a_key(
    owner: Actor, provisioned_host: ProvisionedHost, database: Database, store: SeaweedFs, encryption: Encryption
) -> None:
    host = provisioned_host.host
    if encryption == Encryption.AGE:
        host.run("age-keygen", "-o", "/root/key")
        recipient, opening = host.run("age-keygen", "-y", "/root/key").stdout.strip(), "age -d -i /root/key"
    else:
        gpg = "gpg --quiet --batch --homedir /root/gpg"
        generate = f"{gpg} --passphrase '' --quick-generate-key backups@acme.test default default never"
        host.run("sh", "-c", f"mkdir -m 700 /root/gpg; {generate}")
        recipient, opening = host.run("sh", "-c", f"{gpg} --armor --export").stdout, f"{gpg} --decrypt"
    storage = credential(owner.organization, store.url)
    backup = run(make_backup(owner, database=database, credential=storage, encryption=encryption, recipient=recipient))
    assert_complete(backup, store.url)
    pipe = f'curl --silent --fail "$(cat)" | {opening} | zstd -d | tail -n 1'
    assert "-- Dump completed on" in host.run("bash", "-c", f"set -o pipefail; {pipe}", stdin=store_url(backup)).stdout
    pipe = f'curl --silent --fail "$(cat)" | {opening} | zstd -d | wc -c'
    unpacked = int(host.run("bash", "-c", f"set -o pipefail; {pipe}", stdin=store_url(backup)).stdout)
    assert backup.raw_size is not None
    assert unpacked <= backup.raw_size < unpacked + 64 * 1024


def kill(name: str) -> Callable[[World], None]:
    def fault(world: World) -> None:
        # It may have ended by itself: then all is well.
        world.host.run("pkill", "-9", "-x", name, check=False)

    return fault


def kill_sender(world: World) -> None:
    unit = f"dnx-{world.backup.job_id}-upload"
    # It, too, may have ended by itself.
    world.host.run("systemctl", "kill", "-s", "KILL", "--kill-who=main", unit, check=False)


def stop_database(world: World) -> None:
    world.host.run("systemctl", "stop", "mariadb")
    world.host.run("systemctl", "start", "mariadb")


@pytest.mark.parametrize(
    ("fault", "stage", "cause"),
    [
        pytest.param(kill("mariadb-dump"), "dump", "mariadb-dump was ended by signal 9", id="dump killed"),
        pytest.param(kill("zstd"), "compress", "zstd was ended by signal 9", id="zstd killed"),
        pytest.param(kill_sender, "upload", "The transfer was ended by signal 9", id="sender killed"),
        pytest.param(stop_database, "dump", "mariadb-dump ended .*Lost connection", id="database stopped"),
    ],
)
def test_what_dies_halfway_is_not_published(
    world: World, fault: Callable[[World], None], stage: str, cause: str
) -> None:
    with running(world, held_at=2) as ending:
        fault(world)
        world.gate.opened.set()
        ending.result(90)
    assert_failed(world, stage, cause)


def test_the_disk_of_the_server_is_full(world: World) -> None:
    units = "/var/lib/deploynix/units"
    world.host.run("sh", "-c", f"mkdir -p {units} && mount -t tmpfs -o size=1M units {units}")
    with running(world, held_at=2) as ending:
        # What is left of the log's own last page would do for a while.
        pad = "head -c $((4096 - $(stat -c %s $log) % 4096)) /dev/zero | tr '\\0' '\\n' >>$log"
        fill = f"dd if=/dev/zero of={units}/full"
        world.host.run("sh", "-c", f"log=$(ls {units}/*/log); {pad}; {fill}; true")
        world.gate.opened.set()
        ending.result(90)
    world.host.run("rm", f"{units}/full")
    assert_failed(world, "upload", "The disk of the server is full")


def test_the_database_does_not_run(world: World) -> None:
    world.host.run("systemctl", "stop", "mariadb")
    run(world.backup)
    assert world.gate.seen.total() == 0
    world.host.run("systemctl", "start", "mariadb")
    assert_failed(world, "prepare", "The database does not answer")


def test_the_store_stops(world: World) -> None:
    with running(world, held_at=2) as ending:
        world.store.stop()
        world.gate.opened.set()
        ending.result(90)
        world.store.start()
    assert_failed(world, "upload", r"The store did not take part \d: it answered 503")


@pytest.mark.parametrize("deed", [(503, "SlowDown"), (400, "RequestTimeout"), "drop", "spoil"])
def test_a_part_that_fails_twice_is_sent_a_third_time(world: World, deed: tuple[int, str] | str) -> None:
    world.gate.rule = lambda number, times: deed if number == 2 and times <= 2 else None
    assert_complete(run(world.backup), world.store.url)
    assert world.gate.seen[2] == 3


@pytest.mark.parametrize(
    ("deed", "cause"),
    [((503, "SlowDown"), "503 SlowDown"), ((403, "AccessDenied"), "403 AccessDenied"), ("spoil", "400 BadDigest")],
)
def test_a_part_that_always_fails(world: World, deed: tuple[int, str] | str, cause: str) -> None:
    world.gate.rule = lambda number, times: deed if number == 2 else None
    run(world.backup)
    assert_failed(world, "upload", f"The store did not take part 2: it answered {cause}")


def test_an_address_that_is_over_is_asked_for_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    lifetimes, real = iter([1]), store.part_urls

    def part_urls(
        storage: StorageProvider, bucket: str, key: str, upload_id: str, numbers: Iterable[int], seconds: int
    ) -> dict[int, str]:
        return real(storage, bucket, key, upload_id, numbers, next(lifetimes, seconds))

    monkeypatch.setattr(store, "part_urls", part_urls)
    world.gate.rule = lambda number, times: "late" if number == 1 and times == 1 else None
    assert_complete(run(world.backup), world.store.url)
    assert world.gate.seen[1] == 2


def lose_connection(world: World) -> None:
    world.host.run("pkill", "-9", "-f", "^sshd: deploynix")


def freeze(world: World) -> None:
    """For longer than it takes to notice that nobody answers."""
    world.host.freeze()
    time.sleep(9)
    world.host.thaw()


@pytest.mark.parametrize("fault", [lose_connection, freeze])
def test_a_lost_connection_costs_nothing(world: World, fault: Callable[[World], None]) -> None:
    with running(world, held_at=2) as ending:
        fault(world)
        world.gate.opened.set()
        assert_complete(ending.result(120), world.store.url)
    assert world.gate.seen == dict.fromkeys(range(1, world.backup.parts.count() + 1), 1)


def test_a_way_over_the_worker_is_made_again_where_the_connection_broke(far_world: World) -> None:
    with running(far_world, held_at=2) as ending:
        lose_connection(far_world)
        far_world.gate.opened.set()
        assert_complete(ending.result(120), far_world.store.url)


def test_a_killed_worker_s_upload_goes_on_and_is_finished_by_another(world: World, workers: Workers) -> None:
    workers.environment["OUTBOUND_ALLOW"] = "10.89.0.0/16,127.0.0.0/8"
    world.gate.hold_from(2)
    first = workers.start_worker()
    wait_until(lambda: world.gate.seen[2] > 0, 60, "the upload")
    workers.kill(first.pid)
    workers.start_worker()
    job = Job.objects.filter(pk=world.backup.job_id)
    wait_until(lambda: job.filter(attempt=2, status=JobStatus.RUNNING).exists(), 60, "the takeover")
    world.gate.opened.set()
    wait_until(lambda: not job.open().exists(), 120, "the end")
    world.backup.refresh_from_db()
    assert_complete(world.backup, world.store.url)
    assert world.gate.seen == dict.fromkeys(range(1, world.backup.parts.count() + 1), 1)


def test_a_restart_of_the_server_begins_anew(world: World) -> None:
    with running(world, held_at=2) as ending:
        world.host.run("systemctl", "reboot", check=False)
        world.gate.opened.set()
        backup = ending.result(180)
    assert_complete(backup, world.store.url)


def reboot(world: World) -> None:
    world.host.run("systemctl", "reboot", check=False)


def restart_store(world: World) -> None:
    world.store.stop()
    world.store.start()


def refuse(world: World) -> None:
    world.gate.rule = lambda number, times: (503, "SlowDown")


def cancel(world: World) -> None:
    assert world.backup.job
    cancel_job(world.owner, job=world.backup.job)


def start_database(host: Host) -> None:
    """The host may still be going down, or be starting."""
    starting = ("systemctl", "start", "mariadb")
    wait_until(lambda: host.run(*starting, check=False).returncode == 0, 60, "MariaDB")


FAULTS = (
    *(kill("mariadb-dump"), kill("zstd"), kill_sender, stop_database, lose_connection, freeze, reboot),
    *(restart_store, refuse, cancel),
)


@pytest.mark.soak
def test_no_fault_at_any_time_ends_in_a_backup_that_is_none(world: World, owner: Actor) -> None:
    for _ in range(rounds(2, 200)):
        choice, part = random.choice(FAULTS), random.randint(1, 5)  # noqa: S311
        with running(world, held_at=part) as ending:
            choice(world)
            world.gate.opened.set()
            backup = ending.result(180)
        start_database(world.host)
        if backup.status == Status.COMPLETED:
            assert_complete(backup, world.store.url)
        else:
            assert backup.error, choice
            assert_failed(world, backup.stage, "")
        again = make_backup(owner, database=backup.database, credential=backup.credential)
        world = world._replace(backup=again)


def test_cancelling_ends_it_and_removes_what_was_sent(world: World) -> None:
    assert world.backup.job
    with running(world, held_at=2) as ending:
        cancel_job(world.owner, job=world.backup.job)
        ending.result(60)
    assert "mariadb-dump" not in world.host.run("ps", "-e", "-o", "comm").stdout
    assert_failed(world, "upload", "It was cancelled")


def test_an_upload_whose_id_nobody_wrote_down_is_found(world: World) -> None:
    """As a worker leaves it that is killed after it began the upload."""
    client_of(world.store.url).create_multipart_upload(Bucket=BUCKET, Key=world.backup.key)
    Job.objects.filter(pk=world.backup.job_id).update(attempt=1)
    world.gate.rule = lambda number, times: (403, "AccessDenied")
    run(world.backup)
    assert_failed(world, "upload", "403 AccessDenied")


def test_equal_parts_where_the_store_wants_them(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StorageProvider, "needs_equal_parts", True)
    monkeypatch.setattr(parts, "GROWING", ())
    assert_complete(run(world.backup), world.store.url)


def sent_of_random_files(owner: Actor, host: Host, site: Site, store: SeaweedFs, mib: int) -> int:
    """The most memory that the program had on the server, in MiB."""
    path = f"{site.folder}/shared/folders/uploads/random"
    host.run("sh", "-c", f"head -c {mib}M /dev/urandom >{path} && chown {site.username} {path}", timeout=600)
    backup = run(make_backup(owner, site=site, credential=credential(owner.organization, store.url)))
    assert_complete(backup, store.url)
    found = MEMORY.search(log_of(backup))
    assert found
    return int(found[1])


@pytest.mark.soak
def test_memory_on_the_server_does_not_grow_with_the_size(
    owner: Actor, provisioned_host: ProvisionedHost, site: Site, store: SeaweedFs
) -> None:
    sizes = (64, rounds(256, 10 * 1024))
    small, large = (sent_of_random_files(owner, provisioned_host.host, site, store, mib) for mib in sizes)
    assert large - small < 4
    assert large < 64
