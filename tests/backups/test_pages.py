"""The pages of backups, for an owner, a viewer and a stranger."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from audit.models import AuditEvent
from backups.actions import create_schedule, make_backup
from backups.models import Backup, Restore, RestoreKind, Schedule, Status
from deploynix.actor import Actor
from jobs.models import Job
from jobs.models import Status as JobStatus
from organizations.models import Role
from providers.models import Credential
from servers.models import Database, Server
from sites.models import Site
from tests import factories

pytestmark = pytest.mark.django_db

AGE_KEY = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"


def text_of(client: Client, address: str, status: int = 200, **headers: str) -> str:
    response = client.get(address, headers=headers)
    assert response.status_code == status
    page = response.content.decode()
    assert "style=" not in page
    assert "<script>" not in page
    return re.sub(r"\s+", " ", page)


def refused(client: Client, address: str, given: dict[str, Any]) -> str:
    response = client.post(address, given)
    assert response.status_code == 422
    return response.content.decode()


@pytest.fixture
def backup(database: Database, storage: Credential) -> Backup:
    return factories.backup(storage, database=database)


# The list.


def test_empty_pages_offer_the_next_step(owner: Actor, owner_client: Client, member_client: Client) -> None:
    assert 'href="/settings/backup-providers/new"' in text_of(owner_client, "/backups")
    assert "needs the ability provider:create" in text_of(member_client, "/backups")
    for address in ("/backups/new", "/backups/schedules/new"):
        assert 'href="/settings/backup-providers/new"' in text_of(owner_client, address)
    factories.storage(owner.organization)
    assert 'href="/backups/new"' in text_of(owner_client, "/backups")
    assert "needs the ability backup:create" in text_of(member_client, "/backups")
    assert 'href="/backups/schedules/new"' in text_of(owner_client, "/backups/schedules")
    assert 'href="/backups/schedules"' in text_of(owner_client, "/backups/restores")
    assert "Nothing to back up yet" in text_of(owner_client, "/backups/new")


def test_the_list_is_narrowed_by_status_type_target_and_words(
    owner_client: Client, database: Database, site: Site, storage: Credential
) -> None:
    factories.backup(storage, database=database)
    factories.backup(storage, site=site, status=Status.FAILED, error="The disk is full.", verified_at=None)
    gone = factories.backup(storage, database=database, removed_at=timezone.now())

    def names(query: str) -> set[str]:
        page = text_of(owner_client, f"/backups{query}", HX_Request="true")
        assert "<html" not in page
        return set(re.findall(r'fw-medium text-break" href="/backups/\w+">([^<]+)<', page))

    assert names("") == {"shop", "shop.example"}
    assert names("?status=failed") == names("?type=application") == names(f"?site={site.pk}") == {"shop.example"}
    assert names("?type=database") == names(f"?database={database.pk}") == {"shop"}
    assert names("?q=example") == {"shop.example"}
    assert names("?q=nothing") == set()
    assert gone.pk not in text_of(owner_client, "/backups")
    assert gone.pk in text_of(owner_client, "/backups?removed=1")
    assert "The disk is full." in text_of(owner_client, "/backups")


def test_the_list_asks_for_itself_while_a_backup_is_made(
    owner: Actor, owner_client: Client, database: Database, storage: Credential
) -> None:
    backup = make_backup(owner, database=database, credential=storage)
    Backup.objects.filter(pk=backup.pk).update(status=Status.IN_PROGRESS, sent=3_500_000)
    page = text_of(owner_client, "/backups?status=in_progress")
    assert 'hx-get="/backups?status=in_progress"' in page
    assert "3.3 MB sent" in page
    Backup.objects.update(status=Status.COMPLETED)
    assert "every 2s" not in text_of(owner_client, "/backups")


def test_the_list_costs_as_many_queries_however_much_there_is(
    owner: Actor,
    owner_client: Client,
    database: Database,
    storage: Credential,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for hour in range(20):
        schedule = create_schedule(owner, database=database, credential=storage, cron=f"0 {hour} * * *")
        factories.backup(storage, database=database, schedule=schedule)
    Schedule.objects.update(alarm="The last backup failed.", alarmed_at=timezone.now())
    with django_assert_num_queries(9):
        page = text_of(owner_client, "/backups")
    assert page.count("</a> need you") == 5
    assert "All schedules that need you" in page
    with django_assert_num_queries(5):
        text_of(owner_client, "/backups/schedules")


def test_alarms_stand_above_all(owner_client: Client, schedule: Schedule) -> None:
    Schedule.objects.update(alarm="There is no good backup.\nThe last drill failed.", alarmed_at=timezone.now())
    for address in ("/backups", "/backups/schedules", schedule.get_absolute_url(), "/"):
        page = text_of(owner_client, address)
        assert "There is no good backup." in page
        assert schedule.get_absolute_url() in page


def test_the_calendar_marks_days_without_a_backup_that_was_due(owner_client: Client, schedule: Schedule) -> None:
    # What is made before the schedule's own time is a late one of the day before.
    now = timezone.now().replace(hour=12)
    Schedule.objects.update(created_at=now - timedelta(days=4), active_since=now - timedelta(days=4))
    for days in (1, 3):
        made = now - timedelta(days=days)
        factories.backup(schedule.credential, database=schedule.database, schedule=schedule, created_at=made)
    page = text_of(owner_client, "/backups")
    missed = now - timedelta(days=2)
    assert f"{missed:%-d %b}: without a backup of shop" in page
    assert f"{now - timedelta(days=1):%-d %b}: 1 good" in page
    assert "due" in page


def test_charts_say_in_words_what_they_show(owner_client: Client, database: Database, storage: Credential) -> None:
    begun = timezone.now() - timedelta(seconds=125)
    factories.backup(storage, database=database, size=3 * 1024**2, started_at=begun)
    # Gone by its age, but it was that large.
    factories.backup(storage, database=database, size=2 * 1024**2, removed_at=timezone.now())
    page = text_of(owner_client, "/backups").replace("\xa0", " ")
    assert "5 MB in 35 days, most on" in page
    assert "2 min 5 s in 35 days" in page


# Making one.


def test_a_backup_is_made_by_hand(owner_client: Client, database: Database, site: Site, storage: Credential) -> None:
    page = text_of(owner_client, f"/backups/new?database={database.pk}")
    assert f'value="database:{database.pk}" selected' in page
    given = {"target": f"site:{site.pk}", "credential_id": storage.pk, "encryption": "age", "recipient": AGE_KEY}
    response = owner_client.post("/backups/new", given)
    backup = Backup.objects.get()
    assert response["Location"] == f"/backups/{backup.pk}"
    assert (backup.site, backup.encryption, backup.recipient) == (site, "age", AGE_KEY)
    page = text_of(owner_client, backup.get_absolute_url())
    for words in ("Nothing sent yet", "Make the backup and send it to the store", "every 2s", AGE_KEY):
        assert words in page
    assert "Remove this backup" not in page


def test_what_the_action_refuses_stands_at_its_field(
    owner_client: Client, database: Database, storage: Credential
) -> None:
    given = {"target": f"database:{database.pk}", "credential_id": storage.pk, "encryption": "age"}
    assert "Give the public key that it is encrypted for." in refused(owner_client, "/backups/new", given)
    Server.objects.update(provisioned_at=None)
    given = {"target": f"database:{database.pk}", "credential_id": storage.pk, "encryption": "none"}
    assert "is not ready" in refused(owner_client, "/backups/new", given)
    assert not Backup.objects.exists()


# One backup.


def test_its_page_says_what_is_known(
    owner: Actor, owner_client: Client, backup: Backup, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(3):
        drilled(backup, error="" if number else "The table orders is broken.")
    with django_assert_num_queries(6):
        page = text_of(owner_client, backup.get_absolute_url())
    for words in (backup.key, "0" * 64, "5.0 times as much", "acme-backups", "by a drill", "by hand", "Verified"):
        assert words in page
    for button in ("restore", "drill", "verify", "download", "delete"):
        assert f"{backup.get_absolute_url()}/{button}" in page
    assert "The table orders is broken." in page


def test_a_failure_says_stage_and_hint_and_offers_a_retry(
    owner: Actor, owner_client: Client, database: Database, storage: Credential
) -> None:
    backup = make_backup(owner, database=database, credential=storage)
    Backup.objects.update(status=Status.FAILED, stage="upload", error="The disk is full.", hint="Make room.")
    Job.objects.update(status=JobStatus.FAILED)
    page = text_of(owner_client, backup.get_absolute_url())
    for words in ("at the stage upload", "The disk is full.", "Make room.", f"/jobs/{backup.job_id}/retry"):
        assert words in page
    assert f"{backup.get_absolute_url()}/restore" not in page


def test_a_faulty_one_cannot_be_restored(owner_client: Client, backup: Backup) -> None:
    Backup.objects.update(fault="Part 3 has another checksum.")
    page = text_of(owner_client, backup.get_absolute_url())
    assert "Part 3 has another checksum." in page
    assert f"{backup.get_absolute_url()}/restore" not in page
    assert "cannot be restored" in text_of(owner_client, f"{backup.get_absolute_url()}/restore")


def test_verifying_and_removing(owner_client: Client, backup: Backup) -> None:
    address = backup.get_absolute_url()
    assert owner_client.post(f"{address}/verify")["Location"] == address
    assert "Verify the backup of" in text_of(owner_client, address)
    Job.objects.update(status=JobStatus.SUCCEEDED)
    owner_client.post(f"{address}/delete", {"confirm": "another"})
    assert not Backup.objects.exclude(removing_at=None).exists()
    owner_client.post(f"{address}/delete", {"confirm": "shop"})
    backup.refresh_from_db()
    assert backup.removing_at
    page = text_of(owner_client, address)
    assert "Removing" in page
    assert f"{address}/download" not in page


def test_the_address_of_a_download_is_shown_once_and_ten_times_an_hour(owner_client: Client, backup: Backup) -> None:
    address = f"{backup.get_absolute_url()}/download"
    assert "X-Amz-Signature" not in text_of(owner_client, address)
    assert not AuditEvent.objects.filter(event="backup.downloaded").exists()
    response = owner_client.post(address)
    assert response["Cache-Control"] == "no-store"
    page = response.content.decode()
    assert "https://s3.example/acme-backups/web-1/shop/" in page
    assert "X-Amz-Signature" in page
    assert "until" in page
    assert AuditEvent.objects.filter(event="backup.downloaded").count() == 1
    assert "X-Amz-Signature" not in text_of(owner_client, address)
    for _ in range(9):
        assert owner_client.post(address).status_code == 200
    assert owner_client.post(address).status_code == 429


# Restoring.


def test_restoring_into_its_own_place_asks_for_the_name(owner_client: Client, backup: Backup) -> None:
    address = f"{backup.get_absolute_url()}/restore"
    page = text_of(owner_client, address)
    assert "Step 1 of 2" in page
    assert "shop on web-1, where it was made" in page
    address += "?where=own"
    page = text_of(owner_client, address)
    for words in ("Step 2 of 2", "What is there now is replaced", "after the copy was loaded and checked"):
        assert words in page
    assert "Type shop to confirm" in refused(owner_client, address, {"confirm": "shop2"})
    assert not Restore.objects.exists()
    response = owner_client.post(address, {"confirm": "shop"})
    restore = Restore.objects.get()
    assert response["Location"] == f"/backups/restores/{restore.pk}"
    assert (restore.name, restore.kind) == ("shop", "restore")
    page = text_of(owner_client, restore.get_absolute_url())
    for words in ("Fetch it and load it beside what is there", "Nothing received yet", "every 2s"):
        assert words in page


def test_restoring_beside_replaces_nothing(owner_client: Client, backup: Backup) -> None:
    address = f"{backup.get_absolute_url()}/restore"
    assert "Give the name" in text_of(owner_client, f"{address}?where=beside")
    address += "?where=beside&name=shop_yesterday"
    page = text_of(owner_client, address)
    assert "Nothing is replaced" in page
    assert "to confirm" not in page
    owner_client.post(address)
    assert Restore.objects.get().name == "shop_yesterday"


def test_a_name_that_is_taken_is_replaced_and_has_to_be_typed(
    owner_client: Client, backup: Backup, server: Server
) -> None:
    factories.database(server, name="blog")
    address = f"{backup.get_absolute_url()}/restore?where=beside&name=blog"
    assert "Type blog to confirm" in text_of(owner_client, address)
    refused(owner_client, address, {})


def test_another_server_of_the_same_kind(owner: Actor, owner_client: Client, backup: Backup, host_key: str) -> None:
    same = factories.provisioned_server(owner.organization, host_key=host_key, name="db-2", database_type="mysql")
    factories.provisioned_server(owner.organization, host_key=host_key, name="pg-1", database_type="postgresql")
    address = f"{backup.get_absolute_url()}/restore"
    page = text_of(owner_client, address)
    assert "db-2" in page
    assert "pg-1" not in page
    assert "Choose a server." in text_of(owner_client, f"{address}?where=elsewhere")
    owner_client.post(f"{address}?where=elsewhere&server={same.pk}")
    restore = Restore.objects.get()
    assert (restore.server, restore.name) == (same, "shop")


def test_a_bad_name_is_refused_by_the_action(owner_client: Client, backup: Backup) -> None:
    address = f"{backup.get_absolute_url()}/restore?where=beside&name=1;drop"
    assert "Use letters, digits" in refused(owner_client, address, {})


def test_an_encrypted_one_wants_the_private_key_and_never_shows_it(
    owner_client: Client, database: Database, storage: Credential
) -> None:
    backup = factories.backup(storage, database=database, encryption="age", recipient=AGE_KEY)
    address = f"{backup.get_absolute_url()}/restore?where=own"
    page = refused(owner_client, address, {"identity": "a-secret-that-is-none", "confirm": "shop"})
    assert "no private key of age" in page
    assert "a-secret-that-is-none" not in page
    assert f"{backup.get_absolute_url()}/drill" not in text_of(owner_client, backup.get_absolute_url())


def test_the_files_of_a_site_go_into_a_site(owner_client: Client, site: Site, storage: Credential) -> None:
    backup = factories.backup(storage, site=site)
    address = f"{backup.get_absolute_url()}/restore"
    assert f'value="{site.pk}" selected' in text_of(owner_client, address)
    address += f"?site={site.pk}"
    assert "share will hold" in text_of(owner_client, address)
    owner_client.post(address, {"confirm": "shop.example"})
    assert Restore.objects.get().site == site


def drilled(backup: Backup, **fields: Any) -> Restore:
    findings = [{"check": "CHECK TABLE", "passed": not fields.get("error"), "detail": "3 tables"}]
    given = {"kind": RestoreKind.DRILL, "seconds": 21.4, "finished_at": timezone.now(), "findings": findings}
    owned = {"organization": backup.organization, "server": backup.server, "schedule": backup.schedule}
    return Restore.objects.create(backup=backup, name=backup.name, **owned, **given | fields)


def test_a_drill_shows_what_was_looked_at(owner_client: Client, backup: Backup) -> None:
    refused(owner_client, f"{backup.get_absolute_url()}/drill", {"query": "DROP TABLE orders"})
    response = owner_client.post(f"{backup.get_absolute_url()}/drill", {"query": "SELECT 1 FROM orders"})
    restore = Restore.objects.get()
    assert response["Location"] == restore.get_absolute_url()
    Restore.objects.update(
        findings=[{"check": "The query gives a row", "passed": False, "detail": "It gave none."}],
        error="The query gives a row: It gave none.",
        stage="examine",
        hint="The backup was loaded, but is not what it should be.",
    )
    Job.objects.update(status=JobStatus.FAILED)
    page = text_of(owner_client, restore.get_absolute_url())
    for words in ("SELECT 1 FROM orders", "It gave none.", "at the stage examine", f"/jobs/{restore.job_id}/retry"):
        assert words in page
    page = text_of(owner_client, "/backups/restores?kind=drill")
    assert restore.get_absolute_url() in page
    assert restore.pk not in text_of(owner_client, "/backups/restores?kind=restore")


def test_the_restores_cost_as_many_queries_however_many(
    owner_client: Client, backup: Backup, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(20):
        drilled(backup)
    with django_assert_num_queries(5):
        text_of(owner_client, "/backups/restores")


def test_a_restore_whose_key_is_forgotten_begins_anew(
    owner: Actor, owner_client: Client, database: Database, storage: Credential
) -> None:
    backup = factories.backup(storage, database=database, encryption="age", recipient=AGE_KEY)
    restore = drilled(backup, kind=RestoreKind.RESTORE, error="It was cancelled.")
    page = text_of(owner_client, restore.get_absolute_url())
    assert f"{backup.get_absolute_url()}/restore" in page
    assert "/retry" not in page


# Schedules.


def given_schedule(target: str, storage: Credential, **fields: Any) -> dict[str, Any]:
    kept = {f"keep_{period}": 0 for period in ("daily", "weekly", "monthly", "yearly")} | {"keep_last": 7}
    times = {"preset": "0 2 * * *", "timezone": "Europe/Berlin"}
    return {"target": target, "credential_id": storage.pk, "encryption": "none", **kept, **times, **fields}


def test_a_schedule_is_added_changed_paused_and_deleted(
    owner_client: Client, database: Database, storage: Credential
) -> None:
    given = given_schedule(f"database:{database.pk}", storage, keep_weekly=4, drill_preset="0 5 * * 0")
    response = owner_client.post("/backups/schedules/new", given)
    schedule = Schedule.objects.get()
    address = schedule.get_absolute_url()
    assert response["Location"] == address
    assert (schedule.cron, schedule.drill_cron, schedule.max_age_hours) == ("0 2 * * *", "0 5 * * 0", 27)
    page = text_of(owner_client, address)
    assert page.count(", 02:00</li>") == 5
    for words in ("At 02:00 every day", "Europe/Berlin", "the newest of each of 4 weeks", "27 hours"):
        assert words in page

    page = text_of(owner_client, f"{address}/edit")
    assert '<option value="0 2 * * *" selected>' in page
    given = given_schedule("", storage, preset="other", cron="15 4 * * 1-5", timezone="UTC")
    assert owner_client.post(f"{address}/edit", given)["Location"] == address
    schedule.refresh_from_db()
    assert (schedule.cron, schedule.timezone, schedule.drill_cron) == ("15 4 * * 1-5", "UTC", "")
    assert '<option value="other" selected>' in text_of(owner_client, f"{address}/edit")

    owner_client.post(f"{address}/pause")
    assert "None: the schedule is paused." in text_of(owner_client, address)
    owner_client.post(f"{address}/resume")
    schedule.refresh_from_db()
    assert schedule.is_active

    owner_client.post(f"{address}/delete", {"confirm": "blog"})
    assert Schedule.objects.exists()
    assert owner_client.post(f"{address}/delete", {"confirm": "shop"})["Location"] == "/backups/schedules"
    assert not Schedule.objects.exists()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"preset": "other", "cron": "61 * * * *"}, "is not right"),
        ({"preset": "other"}, "Give the times."),
        ({"keep_last": 0}, "Keep at least one backup."),
        ({"max_age_hours": 3}, "would always be an alarm"),
        ({"timezone": "Mars/Base"}, "Select a valid choice"),
        ({"drill_preset": "0 5 * * 0", "drill_query": "DELETE FROM orders"}, "begins with SELECT"),
        ({"encryption": "age", "recipient": AGE_KEY, "drill_preset": "0 5 * * 0"}, "only be opened with the private"),
    ],
)
def test_what_is_wrong_with_a_schedule_stands_at_its_field(
    fields: dict[str, Any], said: str, owner_client: Client, database: Database, storage: Credential
) -> None:
    given = given_schedule(f"database:{database.pk}", storage, **fields)
    assert said in refused(owner_client, "/backups/schedules/new", given)
    assert not Schedule.objects.exists()


def test_the_next_times_follow_what_is_typed(owner_client: Client) -> None:
    address = "/backups/schedules/times"
    page = text_of(owner_client, f"{address}?preset=other&cron=30+6+*+*+*&timezone=Asia/Tokyo")
    assert page.count(", 06:30</li>") == 5
    assert "As the clocks of Asia/Tokyo show them." in page
    assert "<html" not in page
    assert text_of(owner_client, f"{address}?preset=0+*+*+*+*&timezone=UTC").count(":00</li>") == 5
    assert "five fields" in text_of(owner_client, f"{address}?preset=other&cron=daily&timezone=UTC")
    assert "no time zone" in text_of(owner_client, f"{address}?preset=0+*+*+*+*&timezone=Mars/Base")


def test_a_schedule_is_run_and_proven_now(owner_client: Client, schedule: Schedule) -> None:
    address = schedule.get_absolute_url()
    assert owner_client.post(f"{address}/drill")["Location"] == address
    assert "There is no good backup" in text_of(owner_client, address)
    response = owner_client.post(f"{address}/run")
    backup = Backup.objects.get()
    assert response["Location"] == backup.get_absolute_url()
    assert backup.schedule == schedule
    assert owner_client.post(f"{address}/run")["Location"] == address
    page = text_of(owner_client, address)
    assert "A backup of this schedule is being made." in page
    assert "every 2s" in page
    Backup.objects.update(status=Status.COMPLETED, verified_at=timezone.now(), size=1000)
    response = owner_client.post(f"{address}/drill")
    drill = Restore.objects.get()
    assert response["Location"] == drill.get_absolute_url()
    Restore.objects.update(seconds=95, finished_at=timezone.now())
    Job.objects.update(status=JobStatus.SUCCEEDED)
    page = text_of(owner_client, address)
    assert "1 min 35 s in 90 days" in page
    assert "every 2s" not in page


def test_a_part_of_the_schedule_is_its_lists_alone(
    owner_client: Client, schedule: Schedule, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(12):
        drilled(factories.backup(schedule.credential, database=schedule.database, schedule=schedule))
    with django_assert_num_queries(6):
        page = text_of(owner_client, schedule.get_absolute_url(), HX_Request="true")
    assert "<html" not in page
    with django_assert_num_queries(8):
        text_of(owner_client, schedule.get_absolute_url())


# From elsewhere.


def test_the_pages_of_databases_and_sites_lead_here(
    owner_client: Client, member_client: Client, backup: Backup, site: Site, server: Server
) -> None:
    factories.database(server, name="blog")
    page = text_of(owner_client, f"/servers/{server.pk}/databases")
    assert f'href="/backups?database={backup.database_id}"> <time' in page.replace('"><time', '"> <time')
    assert page.count(">none</a>") == 1
    page = text_of(owner_client, f"/servers/{server.pk}/databases/{backup.database_id}")
    for place in ("/backups?", "/backups/new?", "/backups/schedules/new?"):
        assert f'href="{place}database={backup.database_id}"' in page
        assert f'href="{place}site={site.pk}"' in text_of(owner_client, site.get_absolute_url())
    assert "/backups/new" not in text_of(member_client, site.get_absolute_url())


def test_the_dashboard_shows_the_newest_good_copy(owner_client: Client, backup: Backup) -> None:
    page = text_of(owner_client, "/")
    assert f'href="{backup.get_absolute_url()}"' in page
    Backup.objects.update(fault="Part 3 has another checksum.")
    assert "There is no good backup yet." in text_of(owner_client, "/")


# Who may what.


def test_a_viewer_sees_all_and_may_begin_nothing(member_client: Client, schedule: Schedule, backup: Backup) -> None:
    page = text_of(member_client, backup.get_absolute_url())
    for ability in ("backup:restore", "backup:delete"):
        assert f"needs the ability {ability}" in page
    page = text_of(member_client, schedule.get_absolute_url())
    for ability in ("backup:create", "backup:update", "backup:restore"):
        assert f"needs the ability {ability}" in page or ability == "backup:restore"
    for address in ("/backups", "/backups/schedules", "/backups/restores", f"{backup.get_absolute_url()}/download"):
        text_of(member_client, address)
    for address in ("/backups/new", "/backups/schedules/new", f"{schedule.get_absolute_url()}/edit"):
        text_of(member_client, address, 403)
    for page_of in (f"{backup.get_absolute_url()}/restore", f"{backup.get_absolute_url()}/drill"):
        text_of(member_client, page_of, 403)
    for button in ("verify", "delete"):
        assert member_client.post(f"{backup.get_absolute_url()}/{button}").status_code == 403
    for button in ("run", "pause", "resume", "drill", "delete"):
        assert member_client.post(f"{schedule.get_absolute_url()}/{button}").status_code == 403
    assert not Job.objects.exists()


def test_a_developer_makes_backups_and_does_not_restore(owner: Actor, schedule: Schedule, backup: Backup) -> None:
    developer = factories.signed_in(factories.actor(owner.organization, Role.DEVELOPER))
    text_of(developer, "/backups/new")
    assert developer.post(f"{schedule.get_absolute_url()}/run").status_code == 302
    text_of(developer, f"{backup.get_absolute_url()}/restore", 403)


def test_a_stranger_finds_nothing(outsider_client: Client, schedule: Schedule, backup: Backup) -> None:
    restore = drilled(backup)
    assert "shop" not in text_of(outsider_client, "/backups")
    assert "shop" not in text_of(outsider_client, "/backups/schedules")
    assert "shop" not in text_of(outsider_client, "/backups/restores")
    one = backup.get_absolute_url()
    for address in (one, f"{one}/restore", f"{one}/drill", f"{one}/download", restore.get_absolute_url()):
        text_of(outsider_client, address, 404)
    for address in (schedule.get_absolute_url(), f"{schedule.get_absolute_url()}/edit"):
        text_of(outsider_client, address, 404)
    for button in ("verify", "delete", "download", "drill"):
        assert outsider_client.post(f"{one}/{button}").status_code == 404
    for button in ("run", "pause", "resume", "drill", "delete"):
        assert outsider_client.post(f"{schedule.get_absolute_url()}/{button}").status_code == 404


def test_a_form_takes_nothing_of_another_organization(
    outsider: Actor, outsider_client: Client, database: Database, storage: Credential
) -> None:
    own = factories.storage(outsider.organization)
    factories.database(factories.server(outsider.organization, provisioned_at=timezone.now()))
    given = given_schedule(f"database:{database.pk}", storage)
    page = refused(outsider_client, "/backups/schedules/new", given)
    assert page.count("Select a valid choice") == 2
    given |= {"credential_id": own.pk}
    assert "Select a valid choice" in refused(outsider_client, "/backups/new", given)
    assert not Backup.objects.exists()
