"""Schedules: what they may say, and what happens when their time has come."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from audit.models import AuditEvent
from backups.actions import (
    create_schedule,
    delete_schedule,
    make_backup,
    run_due_drills,
    run_due_schedules,
    update_schedule,
)
from backups.models import Backup, Restore, Schedule, Status
from backups.tasks import run_due
from deploynix.actor import Actor
from deploynix.errors import Denied, Invalid
from organizations.models import Role
from providers.models import Credential
from servers.models import Database, DatabaseStatus
from sites.models import Site
from tests import factories
from tests.backups.test_keys import AGE

pytestmark = pytest.mark.django_db


def due(schedule: Schedule, **fields: Any) -> None:
    """Its time has come."""
    Schedule.objects.filter(pk=schedule.pk).update(next_run_at=timezone.now() - timedelta(seconds=1), **fields)


def drill_due(schedule: Schedule) -> None:
    Schedule.objects.filter(pk=schedule.pk).update(
        drill_cron="0 5 * * 0", next_drill_at=timezone.now() - timedelta(seconds=1)
    )


def test_the_next_run_is_told_in_its_time_zone(schedule: Schedule) -> None:
    runs = schedule.next_runs
    assert len(runs) == 5
    assert {f"{run:%H:%M}" for run in runs} == {"02:00"}
    assert schedule.next_run_at == runs[0] > timezone.now()
    assert schedule.next_drill_at is None


def test_one_that_is_switched_off_has_no_next_run(owner: Actor, schedule: Schedule) -> None:
    off = update_schedule(owner, schedule=schedule, is_active=False)
    assert (off.next_runs, off.next_run_at) == ([], None)
    on = update_schedule(owner, schedule=off, is_active=True)
    assert on.next_run_at == schedule.next_run_at
    assert on.active_since > schedule.active_since


@pytest.mark.parametrize(
    ("cron", "zone", "hours"),
    [("0 2 * * *", "UTC", 26), ("0 2 * * 1", "Europe/Berlin", 171)],
)
def test_how_old_the_newest_may_be_follows_from_the_times(
    cron: str, zone: str, hours: int, owner: Actor, database: Database, storage: Credential
) -> None:
    schedule = create_schedule(owner, database=database, credential=storage, cron=cron, timezone=zone)
    assert schedule.max_age_hours == hours


def test_a_limit_of_its_own_stays_when_the_times_change(owner: Actor, schedule: Schedule) -> None:
    own = schedule.max_age_hours
    weekly = update_schedule(owner, schedule=schedule, cron="0 2 * * 1", max_age_hours=own)
    assert weekly.max_age_hours > 7 * 24
    update_schedule(owner, schedule=weekly, max_age_hours=200)
    assert update_schedule(owner, schedule=weekly, cron="0 2 * * 1,4").max_age_hours == 200


@pytest.mark.parametrize(
    ("values", "field", "said"),
    [
        ({"cron": "0 2 * *"}, "cron", "five fields"),
        ({"cron": "0 25 * * *"}, "cron", "hour"),
        ({"cron": ""}, "cron", "blank"),
        ({"timezone": "Mars/Olympus"}, "timezone", "no time zone"),
        ({"keep_last": 0}, "keep_last", "at least one"),
        ({"keep_last": 1001}, "keep_last", "1000"),
        ({"keep_weekly": -1}, "keep_weekly", "0"),
        ({"max_age_hours": 0}, "max_age_hours", "1"),
        ({"max_age_hours": 12}, "max_age_hours", "24 hours apart"),
        ({"drill_cron": "x"}, "drill_cron", "five fields"),
        ({"drill_query": "DROP TABLE orders"}, "drill_query", "begins with SELECT"),
        ({"encryption": "age", "recipient": "age1"}, "recipient", "no public key"),
        ({"encryption": "age", "recipient": AGE, "drill_cron": "0 5 * * 0"}, "drill_cron", "private key"),
    ],
)
def test_what_a_schedule_may_not_say(
    values: dict[str, Any], field: str, said: str, owner: Actor, database: Database, storage: Credential
) -> None:
    with pytest.raises(ValidationError, match=said) as error:
        create_schedule(owner, **{"database": database, "credential": storage, "cron": "0 2 * * *", **values})
    assert field in error.value.message_dict
    assert not Schedule.objects.exists()


def test_applications_have_no_drills(owner: Actor, site: Site, storage: Credential) -> None:
    with pytest.raises(ValidationError, match="scratch database"):
        create_schedule(owner, site=site, credential=storage, cron="0 2 * * *", drill_cron="0 5 * * 0")


def test_who_may(owner: Actor, member: Actor, schedule: Schedule, database: Database, storage: Credential) -> None:
    developer = factories.actor(owner.organization, Role.DEVELOPER)
    create_schedule(developer, database=database, credential=storage, cron="0 3 * * *")
    with pytest.raises(Denied, match="backup:create"):
        create_schedule(member, database=database, credential=storage, cron="0 3 * * *")
    for action in (update_schedule, delete_schedule):
        with pytest.raises(Denied, match="backup:update"):
            action(developer, schedule=schedule)


def test_changes_are_recorded_and_take_effect(owner: Actor, schedule: Schedule, outsider: Actor) -> None:
    other = factories.storage(owner.organization, name="Other")
    changed = update_schedule(owner, schedule=schedule, cron="30 4 * * *", keep_weekly=4, credential=other)
    assert f"{changed.next_runs[0]:%H:%M}" == "04:30"
    row = AuditEvent.objects.get(event="schedule.updated")
    assert row.changes == {
        "credential": [str(schedule.credential), "Other"],
        "cron": ["0 2 * * *", "30 4 * * *"],
        "keep_weekly": [0, 4],
    }
    with pytest.raises(Invalid, match="given data"):
        update_schedule(owner, schedule=schedule, credential=factories.storage(outsider.organization))


def test_a_change_of_anything_else_leaves_the_next_run(owner: Actor, schedule: Schedule) -> None:
    due(schedule)
    before = Schedule.objects.get(pk=schedule.pk).next_run_at
    assert update_schedule(owner, schedule=schedule, keep_last=9).next_run_at == before


def test_what_it_stored_outlives_a_schedule(owner: Actor, schedule: Schedule, database: Database) -> None:
    backup = factories.backup(schedule.credential, database=database, schedule=schedule)
    delete_schedule(owner, schedule=schedule)
    backup.refresh_from_db()
    assert (backup.schedule, backup.removed_at) == (None, None)
    assert AuditEvent.objects.filter(event="schedule.deleted").count() == 1


def test_a_backup_is_made_when_its_time_has_come_and_not_before(schedule: Schedule) -> None:
    assert run_due_schedules() == 0
    due(schedule)
    assert [run_due_schedules(), run_due_schedules()] == [1, 0]
    backup = Backup.objects.get()
    assert (backup.schedule, backup.database, backup.credential) == (schedule, schedule.database, schedule.credential)
    assert backup.job is not None
    assert backup.job.actor == "system"
    schedule.refresh_from_db()
    assert schedule.next_run_at is not None
    assert schedule.next_run_at > timezone.now()
    assert schedule.last_run_at is not None


def test_windows_that_were_missed_are_made_up_for_by_one(schedule: Schedule) -> None:
    Schedule.objects.filter(pk=schedule.pk).update(next_run_at=timezone.now() - timedelta(days=9))
    run_due()
    run_due()
    assert Backup.objects.count() == 1
    schedule.refresh_from_db()
    assert schedule.next_run_at == schedule.next_runs[0]


def test_where_clocks_are_put_back_it_runs_once(
    owner: Actor, database: Database, storage: Credential, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beats every five minutes through the night in which Berlin has the hour from 2:00 twice, and the one after."""
    schedule = create_schedule(
        owner, database=database, credential=storage, cron="30 2 * * *", timezone="Europe/Berlin"
    )
    start = datetime(2026, 10, 24, 22, 1, tzinfo=UTC)
    Schedule.objects.filter(pk=schedule.pk).update(next_run_at=datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
    seen = []
    for minute in range(0, 30 * 60, 5):
        monkeypatch.setattr(timezone, "now", lambda minute=minute: start + timedelta(minutes=minute))
        if run_due_schedules():
            seen.append(f"{timezone.now():%d %H:%M}")
            Backup.objects.all().delete()
    assert seen == ["25 00:31", "26 01:31"]


@pytest.mark.parametrize("status", [Status.PENDING, Status.IN_PROGRESS])
def test_while_the_one_before_is_being_made_one_is_left_out(status: Status, schedule: Schedule) -> None:
    factories.backup(schedule.credential, database=schedule.database, schedule=schedule, status=status)
    due(schedule)
    assert run_due_schedules() == 0
    schedule.refresh_from_db()
    assert schedule.skipped_at is not None
    assert schedule.next_run_at is not None
    assert schedule.next_run_at > timezone.now()
    assert Backup.objects.count() == 1
    assert AuditEvent.objects.filter(event="schedule.skipped").count() == 1


def test_a_backup_of_the_same_database_by_hand_is_no_reason_to_leave_one_out(schedule: Schedule) -> None:
    factories.backup(schedule.credential, database=schedule.database, status=Status.PENDING)
    due(schedule)
    assert run_due_schedules() == 1


def test_what_cannot_begin_is_noted_until_one_can(schedule: Schedule) -> None:
    Database.objects.filter(pk=schedule.database_id).update(status=DatabaseStatus.MISSING)
    due(schedule)
    assert run_due_schedules() == 0
    schedule.refresh_from_db()
    assert "missing" in schedule.refusal
    assert schedule.next_run_at is not None
    assert schedule.next_run_at > timezone.now()
    Database.objects.filter(pk=schedule.database_id).update(status=DatabaseStatus.ACTIVE)
    due(schedule)
    assert run_due_schedules() == 1
    schedule.refresh_from_db()
    assert schedule.refusal == ""


def test_one_that_breaks_does_not_keep_the_others_from_their_turn(
    owner: Actor, schedule: Schedule, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    other = create_schedule(owner, database=schedule.database, credential=schedule.credential, cron="0 3 * * *")
    due(schedule)
    due(other)

    def broken(actor: Actor, **values: Any) -> Backup:
        return make_backup(actor, **values) if values["schedule"] == other else 1 / 0  # type: ignore[return-value]

    monkeypatch.setattr("backups.actions.schedules.make_backup", broken)
    assert run_due_schedules() == 1
    assert "ZeroDivisionError" in caplog.text
    assert Backup.objects.get().schedule == other


def test_one_that_is_switched_off_does_nothing(owner: Actor, schedule: Schedule) -> None:
    due(schedule, is_active=False)
    drill_due(schedule)
    assert (run_due_schedules(), run_due_drills()) == (0, 0)


def test_a_drill_takes_the_newest_good_backup(schedule: Schedule) -> None:
    backup = factories.backup(schedule.credential, database=schedule.database, schedule=schedule)
    drill_due(schedule)
    assert [run_due_drills(), run_due_drills()] == [1, 0]
    drill = Restore.objects.get()
    assert (drill.backup, drill.schedule) == (backup, schedule)
    drill_due(schedule)
    assert run_due_drills() == 0, "the one before still runs"
    schedule.refresh_from_db()
    assert schedule.drill_refusal == ""


def test_a_drill_without_a_good_backup_is_noted(schedule: Schedule) -> None:
    drill_due(schedule)
    assert run_due_drills() == 0
    schedule.refresh_from_db()
    assert "no good backup" in schedule.drill_refusal


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("beats", [2, 8])
def test_beats_at_the_same_moment_make_one_backup_of_each_schedule(
    beats: int, owner: Actor, database: Database, storage: Credential
) -> None:
    schedules = [
        create_schedule(owner, database=database, credential=storage, cron=f"{minute} 2 * * *") for minute in range(5)
    ]
    for schedule in schedules:
        due(schedule)
        drill_due(schedule)
        factories.backup(storage, database=database, schedule=schedule)
    barrier = Barrier(beats)

    def beat(_: int) -> tuple[int, int]:
        barrier.wait()
        try:
            return run_due_schedules(), run_due_drills()
        finally:
            connection.close()

    with ThreadPoolExecutor(beats) as pool:
        made = list(pool.map(beat, range(beats)))
    assert sum(backups for backups, _ in made) == sum(drills for _, drills in made) == 5
    for schedule in schedules:
        assert schedule.backups.filter(status=Status.PENDING).count() == 1
        assert schedule.drills.count() == 1
