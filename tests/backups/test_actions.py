"""Making, verifying, fetching, removing and restoring backups: who may, and what is refused."""

import re
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from audit.models import AuditEvent
from backups.actions import (
    create_schedule,
    download_backup,
    drill_backup,
    drill_schedule,
    make_backup,
    remove_backup,
    restore_backup,
    verify_backup,
)
from backups.models import Backup, Encryption, Restore, RestoreKind, Status
from deploynix.actor import Actor
from deploynix.errors import Conflict, Denied, Invalid
from deploynix.redact import secrets_of
from jobs.models import Job
from jobs.models import Status as JobStatus
from organizations.models import Role
from providers.base import Kind
from providers.models import Credential
from servers.models import Database, DatabaseStatus, Server
from servers.models import Status as ServerStatus
from sites.models import Site
from tests import factories
from tests.backups.test_keys import AGE, AGE_PRIVATE, EXPORTED, EXPORTED_PRIVATE

pytestmark = pytest.mark.django_db


@pytest.fixture
def backup(database: Database, storage: Credential) -> Backup:
    return factories.backup(storage, database=database)


@pytest.fixture
def files(site: Site, storage: Credential) -> Backup:
    return factories.backup(storage, site=site)


@pytest.fixture
def developer(owner: Actor) -> Actor:
    return factories.actor(owner.organization, Role.DEVELOPER)


def events() -> list[str]:
    return list(AuditEvent.objects.filter(event__startswith="backup.").order_by("id").values_list("event", flat=True))


def test_a_backup_of_a_database_is_queued_with_its_place_in_the_store(
    owner: Actor, database: Database, storage: Credential
) -> None:
    backup = make_backup(owner, database=database, credential=storage)
    backup.refresh_from_db()
    assert (backup.type, backup.status, backup.engine) == ("database", Status.PENDING, "mariadb")
    assert (backup.server, backup.server_name, backup.name) == (database.server, "web-1", "shop")
    assert backup.bucket == "acme-backups"
    assert re.fullmatch(rf"web-1/shop/\d{{8}}T\d{{6}}Z-{backup.pk}\.sql\.zst", backup.key)
    job = backup.job
    assert job is not None
    assert (job.kind, job.lane, job.subject_id) == ("make_backup", database.lane, backup.pk)
    row = AuditEvent.objects.get(event="backup.created")
    assert (row.target_type, row.target_id) == ("backup", backup.pk)


def test_a_backup_of_an_application_is_of_the_files_of_a_site(owner: Actor, site: Site, storage: Credential) -> None:
    backup = make_backup(owner, site=site, credential=storage)
    assert (backup.type, backup.server, backup.site, backup.engine) == ("application", site.server, site, "")
    assert backup.key.startswith("web-1/shop.example/")
    assert backup.key.endswith(".tar.zst")
    assert backup.job is not None
    assert backup.job.lane == f"files:{site.pk}"


@pytest.mark.parametrize(
    ("engine", "encryption", "recipient", "ending"),
    [
        ("postgresql", "none", "", ".dump.zst"),
        ("mysql", "age", AGE, ".sql.zst.age"),
        ("postgresql", "openpgp", EXPORTED, ".dump.zst.gpg"),
    ],
)
def test_the_key_ends_with_what_it_takes_to_open_it(
    engine: str, encryption: str, recipient: str, ending: str, owner: Actor, database: Database, storage: Credential
) -> None:
    Server.objects.filter(pk=database.server_id).update(database_type=engine)
    database = Database.objects.select_related("server").get(pk=database.pk)
    backup = make_backup(owner, database=database, credential=storage, encryption=encryption, recipient=recipient)
    assert backup.key.endswith(f"{backup.pk}{ending}")


def test_the_key_stays_below_the_prefix_and_is_a_plain_path(owner: Actor, server: Server) -> None:
    storage = factories.storage(owner.organization)
    storage.settings["prefix"] = "/deploynix/"
    storage.save()
    database = factories.database(server, name="../söß \n/x")
    backup = make_backup(owner, database=database, credential=storage)
    assert re.fullmatch(rf"deploynix/web-1/-s-x/\d{{8}}T\d{{6}}Z-{backup.pk}\.sql\.zst", backup.key)


def test_exactly_one_target(owner: Actor, database: Database, site: Site, storage: Credential) -> None:
    with pytest.raises(Invalid) as neither:
        make_backup(owner, credential=storage)
    assert neither.value.errors == {"database_id": ["The database id field is required."]}
    with pytest.raises(Invalid) as both:
        make_backup(owner, database=database, site=site, credential=storage)
    assert list(both.value.errors) == ["site_id"]


def test_the_credential_is_a_storage_of_the_same_organization(
    owner: Actor, outsider: Actor, database: Database
) -> None:
    dns = factories.storage(owner.organization, kind=Kind.DNS, provider="cloudflare")
    for wrong in (factories.storage(outsider.organization), dns):
        with pytest.raises(Invalid) as error:
            make_backup(owner, database=database, credential=wrong)
        assert error.value.errors == {"credential_id": ["The selected credential id is invalid."]}
    assert not Backup.objects.exists()


def test_what_belongs_to_another_organization_is_not_backed_up(outsider: Actor, database: Database, site: Site) -> None:
    storage = factories.storage(outsider.organization)
    for target in ({"database": database}, {"site": site}):
        with pytest.raises(Invalid, match="given data"):
            make_backup(outsider, credential=storage, **target)


@pytest.mark.parametrize(
    ("encryption", "recipient", "said"),
    [
        ("age", "", "Give the public key"),
        ("none", AGE, "Choose an encryption"),
        ("age", EXPORTED, "Give one line"),
        ("openpgp", AGE, "no OpenPGP public key"),
        ("age", AGE_PRIVATE, "This is a private key"),
        ("openpgp", EXPORTED_PRIVATE, "This is a private key"),
    ],
)
def test_a_key_that_could_not_encrypt_is_refused(
    encryption: str, recipient: str, said: str, owner: Actor, database: Database, storage: Credential
) -> None:
    with pytest.raises(ValidationError, match=said) as error:
        make_backup(owner, database=database, credential=storage, encryption=encryption, recipient=recipient)
    assert list(error.value.message_dict) == ["recipient"]
    assert not Job.objects.exists()


def test_what_is_not_ready_is_not_backed_up(owner: Actor, database: Database, site: Site, storage: Credential) -> None:
    database.status = DatabaseStatus.DELETING
    with pytest.raises(Conflict, match="deleting"):
        make_backup(owner, database=database, credential=storage)
    site.installed_at = None
    with pytest.raises(Conflict, match="no files yet"):
        make_backup(owner, site=site, credential=storage)
    site.server.status = ServerStatus.DELETING
    with pytest.raises(Conflict, match="not ready"):
        make_backup(owner, site=site, credential=storage)


def test_each_needs_its_ability(member: Actor, developer: Actor, backup: Backup, storage: Credential) -> None:
    database = backup.database
    assert database is not None
    make_backup(developer, database=database, credential=storage)
    with pytest.raises(Denied, match="backup:create"):
        make_backup(member, database=database, credential=storage)
    for action in (verify_backup, restore_backup, drill_backup):
        with pytest.raises(Denied, match="backup:restore"):
            action(developer, backup=backup)
    with pytest.raises(Denied, match="backup:delete"):
        remove_backup(developer, backup=backup)


def test_a_download_is_an_address_that_opens_it_for_a_while(owner: Actor, backup: Backup) -> None:
    download = download_backup(owner, backup=backup)
    assert download.url.startswith(f"https://s3.example/acme-backups/{backup.key}?")
    assert "X-Amz-Expires=900" in download.url
    assert 890 < (download.expires_at - timezone.now()).total_seconds() <= 900
    row = AuditEvent.objects.get(event="backup.downloaded")
    assert row.target_id == backup.pk
    assert "Signature" not in str(row.changes)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"status": Status.IN_PROGRESS}, "not complete"),
        ({"status": Status.FAILED}, "has failed"),
        ({"removed_at": timezone.now()}, "been removed"),
        ({"removing_at": timezone.now()}, "been removed"),
    ],
)
def test_what_is_not_stored_cannot_be_read(fields: dict[str, Any], said: str, owner: Actor, backup: Backup) -> None:
    Backup.objects.filter(pk=backup.pk).update(**fields)
    backup.refresh_from_db()
    for action in (download_backup, verify_backup, restore_backup, drill_backup):
        with pytest.raises(Conflict, match=said):
            action(owner, backup=backup)
    assert not Job.objects.exists()


def test_a_faulty_backup_can_be_fetched_and_verified_and_not_restored(owner: Actor, backup: Backup) -> None:
    Backup.objects.filter(pk=backup.pk).update(fault="Part 3 has another checksum.")
    backup.refresh_from_db()
    assert download_backup(owner, backup=backup).url
    assert verify_backup(owner, backup=backup).kind == "verify_backup"
    for action in (restore_backup, drill_backup):
        with pytest.raises(Conflict, match="Part 3 has another checksum"):
            action(owner, backup=backup)


def test_verifying_twice_is_one_job(owner: Actor, backup: Backup) -> None:
    assert verify_backup(owner, backup=backup) == verify_backup(owner, backup=backup)
    assert Job.objects.get().lane == f"backup:{backup.pk}"


def test_removing_keeps_the_row_and_takes_it_out_of_use_at_once(owner: Actor, backup: Backup) -> None:
    job = remove_backup(owner, backup=backup)
    assert (job.kind, job.subject_id, job.lane) == ("remove_backup", backup.pk, f"backup:{backup.pk}")
    backup.refresh_from_db()
    assert backup.removing_at is not None
    assert not Backup.objects.good().exists()
    with pytest.raises(Conflict, match="Remove the backup"):
        remove_backup(owner, backup=backup)
    assert events() == ["backup.deleted"]


def test_a_removal_that_failed_can_be_asked_for_again(owner: Actor, backup: Backup) -> None:
    job = remove_backup(owner, backup=backup)
    Job.objects.filter(pk=job.pk).update(status=JobStatus.FAILED)
    assert remove_backup(owner, backup=backup) != job


@pytest.mark.parametrize("status", [Status.PENDING, Status.IN_PROGRESS])
def test_what_is_being_made_is_not_removed(status: Status, owner: Actor, backup: Backup) -> None:
    Backup.objects.filter(pk=backup.pk).update(status=status)
    with pytest.raises(Conflict, match="being made"):
        remove_backup(owner, backup=backup)


def test_what_is_being_read_is_not_removed(owner: Actor, backup: Backup) -> None:
    restore_backup(owner, backup=backup)
    with pytest.raises(Conflict, match="Restore shop into shop"):
        remove_backup(owner, backup=backup)
    Job.objects.all().delete()
    verify_backup(owner, backup=backup)
    with pytest.raises(Conflict, match="Verify the backup"):
        remove_backup(owner, backup=backup)


def test_a_restore_goes_back_to_where_it_came_from(owner: Actor, backup: Backup) -> None:
    restore = restore_backup(owner, backup=backup)
    assert (restore.kind, restore.server, restore.database, restore.name) == (
        RestoreKind.RESTORE,
        backup.server,
        backup.database,
        "shop",
    )
    assert backup.database is not None
    assert restore.job is not None
    assert restore.job.lane == backup.database.lane
    assert events() == ["backup.restored"]


def test_a_restore_under_another_name_on_another_server(owner: Actor, backup: Backup, host_key: str) -> None:
    other = factories.provisioned_server(owner.organization, host_key=host_key, database_type="mysql")
    restore = restore_backup(owner, backup=backup, server=other, name="shop_copy")
    assert (restore.server, restore.database, restore.name) == (other, None, "shop_copy")
    assert restore.job is not None
    assert restore.job.lane == f"restore:{other.pk}"


def test_a_restore_into_a_database_that_is_there_waits_for_its_lane(
    owner: Actor, backup: Backup, server: Server
) -> None:
    other = factories.database(server, name="shop_copy")
    restore = restore_backup(owner, backup=backup, name="shop_copy")
    assert restore.database == other
    assert restore.job is not None
    assert restore.job.lane == other.lane


@pytest.mark.parametrize("name", ["mysql", "dnx_scratch_x", "a b", "x" * 64, "../x", "'; DROP"])
def test_a_name_that_no_database_may_have_is_refused(name: str, owner: Actor, backup: Backup) -> None:
    with pytest.raises(Invalid) as error:
        restore_backup(owner, backup=backup, name=name)
    assert list(error.value.errors) == ["name"]
    assert not Restore.objects.exists()


def test_a_server_with_other_databases_is_refused(owner: Actor, backup: Backup, host_key: str) -> None:
    for engine, label in (("postgresql", "PostgreSQL"), ("none", "no databases")):
        other = factories.provisioned_server(owner.organization, host_key=host_key, database_type=engine)
        with pytest.raises(Conflict, match=label):
            restore_backup(owner, backup=backup, server=other)


def test_a_server_that_is_gone_or_not_seen_is_refused(owner: Actor, outsider: Actor, backup: Backup) -> None:
    with pytest.raises(Invalid):
        restore_backup(owner, backup=backup, server=factories.server(outsider.organization, database_type="mariadb"))
    Backup.objects.filter(pk=backup.pk).update(server=None, database=None)
    with pytest.raises(Invalid) as error:
        restore_backup(owner, backup=backup)
    assert list(error.value.errors) == ["server_id"]


def test_files_are_restored_into_a_site(owner: Actor, files: Backup, server: Server, site: Site) -> None:
    other = factories.site(server, installed_at=timezone.now())
    into_own, into_other = restore_backup(owner, backup=files), restore_backup(owner, backup=files, site=other)
    assert (into_own.site, into_other.site) == (site, other)
    assert (into_own.name, into_own.server) == ("", server)
    assert into_other.job is not None
    assert into_other.job.lane == f"files:{other.pk}"


def test_files_have_no_name_and_a_database_no_site(owner: Actor, files: Backup, backup: Backup, site: Site) -> None:
    for arguments, field in (({"name": "x"}, "name"), ({"server": site.server}, "server_id")):
        with pytest.raises(Invalid) as error:
            restore_backup(owner, backup=files, **arguments)
        assert list(error.value.errors) == [field]
    with pytest.raises(Invalid) as error:
        restore_backup(owner, backup=backup, site=site)
    assert list(error.value.errors) == ["site_id"]


def test_an_encrypted_backup_needs_its_private_key_which_is_a_secret(owner: Actor, backup: Backup) -> None:
    Backup.objects.filter(pk=backup.pk).update(encryption=Encryption.AGE, recipient=AGE)
    for wrong in ("", AGE, EXPORTED_PRIVATE):
        with pytest.raises(Invalid) as error:
            restore_backup(owner, backup=backup, identity=wrong)
        assert list(error.value.errors) == ["identity"]
    restore = restore_backup(owner, backup=backup, identity=AGE_PRIVATE)
    stored = Restore.objects.get(pk=restore.pk)
    assert str(stored.identity).strip() == AGE_PRIVATE
    assert AGE_PRIVATE in "".join(secrets_of(owner.organization.pk))
    assert stored.job is not None
    assert AGE_PRIVATE not in f"{stored.job.params} {list(AuditEvent.objects.values_list('changes', flat=True))}"


def test_a_key_for_what_is_not_encrypted_is_refused(owner: Actor, backup: Backup) -> None:
    with pytest.raises(Invalid, match="given data"):
        restore_backup(owner, backup=backup, identity=AGE_PRIVATE)


def test_a_drill_is_a_restore_that_is_thrown_away(owner: Actor, backup: Backup) -> None:
    drill = drill_backup(owner, backup=backup, query=" SELECT 1 FROM orders; ")
    assert (drill.kind, drill.server, drill.query) == (RestoreKind.DRILL, backup.server, "SELECT 1 FROM orders;")
    assert drill.job is not None
    assert drill.job.lane == f"drill:{drill.server_id}"
    assert events() == ["backup.drilled"]


@pytest.mark.parametrize("query", ["DELETE FROM orders", "SELECT 1; DROP TABLE orders", "x" * 10_001, "selector"])
def test_a_drill_looks_and_changes_nothing(query: str, owner: Actor, backup: Backup) -> None:
    with pytest.raises(Invalid) as error:
        drill_backup(owner, backup=backup, query=query)
    assert list(error.value.errors) == ["query"]


def test_files_and_what_is_encrypted_cannot_be_drilled(owner: Actor, files: Backup, backup: Backup) -> None:
    Backup.objects.filter(pk=backup.pk).update(encryption=Encryption.AGE, recipient=AGE)
    for what in (files, backup):
        with pytest.raises(Invalid) as error:
            drill_backup(owner, backup=what)
        assert list(error.value.errors) == ["backup_id"]


def test_a_schedule_is_tried_by_its_newest_good_backup(owner: Actor, database: Database, storage: Credential) -> None:
    schedule = create_schedule(owner, database=database, credential=storage, cron="0 2 * * *", drill_query="SELECT 2")
    with pytest.raises(Conflict, match="no good backup"):
        drill_schedule(owner, schedule=schedule)
    good = [factories.backup(storage, database=database, schedule=schedule) for _ in range(2)]
    factories.backup(storage, database=database, schedule=schedule, fault="It is another object.")
    factories.backup(storage, database=database)
    drill = drill_schedule(owner, schedule=schedule)
    assert (drill.backup, drill.schedule, drill.query) == (good[1], schedule, "SELECT 2")
    assert drill_schedule(owner, schedule=schedule, query="").query == ""
