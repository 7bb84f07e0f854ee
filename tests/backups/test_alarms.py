"""Alarms: what did not happen makes noise, once, and its end is told, too."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from audit.models import AuditEvent
from backups.actions import create_schedule, remove_backup, run_due_schedules, update_schedule
from backups.models import Backup, Restore, RestoreKind, Schedule, Status
from backups.tasks import raise_alarms
from deploynix.actor import Actor
from jobs.actions import enqueue_job
from jobs.models import Job
from jobs.models import Status as JobStatus
from jobs.runner import run_job
from organizations.models import Role
from servers.models import Database, DatabaseStatus
from tests import factories
from tests.tokens.clock import Clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def schedule(schedule: Schedule) -> Schedule:
    """Its next time is far away, whatever the time is now."""
    Schedule.objects.filter(pk=schedule.pk).update(next_run_at=timezone.now() + timedelta(days=300))
    schedule.refresh_from_db()
    return schedule


def delivered() -> list[EmailMessage]:
    """Does the mailing that waits; returns the mails that it sent."""
    mail.outbox.clear()
    for pk in Job.objects.filter(kind="warn_of_backups", status=JobStatus.QUEUED).values_list("pk", flat=True):
        Job.objects.filter(pk=pk).update(run_after=timezone.now())
        run_job(pk)
    return list(mail.outbox)


def alarm_of(schedule: Schedule) -> str:
    """What it says after two looks."""
    raise_alarms()
    raise_alarms()
    return Schedule.objects.get(pk=schedule.pk).alarm


def made(schedule: Schedule, **fields: Any) -> Backup:
    created_at = fields.pop("created_at", timezone.now())
    given = {"database": schedule.database, "schedule": schedule, "created_at": created_at, **fields}
    return factories.backup(schedule.credential, **given)


def failed(schedule: Schedule, **fields: Any) -> Backup:
    return made(schedule, status=Status.FAILED, error="The disk is full.", verified_at=None, **fields)


def drilled(backup: Backup, error: str = "") -> Restore:
    assert backup.server is not None
    return Restore.objects.create(
        organization=backup.organization,
        backup=backup,
        kind=RestoreKind.DRILL,
        schedule=backup.schedule,
        server=backup.server,
        error=error,
        finished_at=timezone.now(),
    )


def test_a_schedule_that_is_well_is_quiet(schedule: Schedule, clock: Clock) -> None:
    assert alarm_of(schedule) == ""
    drilled(made(schedule))
    clock.advance(hours=5)
    assert alarm_of(schedule) == ""
    assert delivered() == []


def test_a_failure_is_told_once_to_owners_and_admins_and_so_is_its_end(owner: Actor, schedule: Schedule) -> None:
    factories.actor(owner.organization, Role.ADMIN, "admin@acme.test")
    factories.actor(owner.organization, Role.DEVELOPER, "developer@acme.test")
    failed(schedule)
    assert "failed: The disk is full." in alarm_of(schedule)
    message = delivered()[0]
    assert message.subject == "[Deploynix] Backups of shop need you"
    assert message.to == ["owner@acme.test", "admin@acme.test"]
    for part in ("The disk is full.", "0 2 * * * (Europe/Berlin) of shop on web-1", schedule.get_absolute_url()):
        assert part in message.body
    failed(schedule)
    raise_alarms()
    assert delivered() == []

    made(schedule)
    assert alarm_of(schedule) == ""
    assert [message.subject for message in delivered()] == ["[Deploynix] Backups of shop: all is well again"]
    events = AuditEvent.objects.filter(event__in=("schedule.alarmed", "schedule.recovered")).order_by("id")
    assert [(event.event, event.target_id, event.actor) for event in events] == [
        ("schedule.alarmed", schedule.pk, "system"),
        ("schedule.recovered", schedule.pk, "system"),
    ]


def test_a_mail_that_waited_until_it_was_over_is_not_sent(schedule: Schedule) -> None:
    failed(schedule)
    raise_alarms()
    made(schedule)
    raise_alarms()
    assert [message.subject for message in delivered()] == ["[Deploynix] Backups of shop: all is well again"]


@pytest.mark.parametrize("status", [Status.PENDING, Status.IN_PROGRESS])
def test_another_try_is_not_yet_the_end(status: Status, schedule: Schedule) -> None:
    made(schedule)
    last = failed(schedule)
    first = alarm_of(schedule)
    Backup.objects.filter(pk=last.pk).update(status=status, started_at=timezone.now())
    assert alarm_of(schedule) == first
    Backup.objects.filter(pk=last.pk).update(status=Status.FAILED)
    raise_alarms()
    assert len(delivered()) == 1


def test_a_window_that_was_missed(schedule: Schedule, clock: Clock) -> None:
    """As when the task that runs schedules is broken, and this one is not."""
    Schedule.objects.filter(pk=schedule.pk).update(next_run_at=clock.now)
    clock.advance(minutes=14)
    assert alarm_of(schedule) == ""
    clock.advance(minutes=2)
    assert "has not begun: the scheduler did not come to it" in alarm_of(schedule)


def test_a_backup_that_no_worker_takes(schedule: Schedule, clock: Clock) -> None:
    Schedule.objects.filter(pk=schedule.pk).update(next_run_at=clock.now)
    assert run_due_schedules() == 1
    assert alarm_of(schedule) == ""
    clock.advance(minutes=16)
    assert "has not begun: no worker has come to it" in alarm_of(schedule)
    Backup.objects.update(status=Status.IN_PROGRESS, started_at=clock.now)
    raise_alarms()
    made(schedule)
    Backup.objects.filter(status=Status.IN_PROGRESS).update(status=Status.COMPLETED)
    assert alarm_of(schedule) == ""


def test_a_backup_that_may_not_begin(schedule: Schedule) -> None:
    Database.objects.filter(pk=schedule.database_id).update(status=DatabaseStatus.MISSING)
    Schedule.objects.filter(pk=schedule.pk).update(next_run_at=timezone.now() - timedelta(seconds=1))
    run_due_schedules()
    assert alarm_of(schedule).startswith("The last backup could not begin. The database shop is missing.")


def test_no_good_backup_for_too_long(schedule: Schedule, clock: Clock) -> None:
    clock.advance(hours=26)
    assert alarm_of(schedule) == ""
    clock.advance(hours=2)
    assert "There is no good backup, more than 27 hours" in alarm_of(schedule)


@pytest.mark.parametrize(
    "fields",
    [{"fault": "Part 3 has another checksum."}, {"verified_at": None}, {"removed_at": timezone.now()}],
)
def test_only_a_good_one_counts(fields: dict[str, Any], schedule: Schedule, clock: Clock) -> None:
    made(schedule)
    clock.advance(hours=20)
    made(schedule, created_at=clock.now, **fields)
    clock.advance(hours=8)
    assert "The newest good backup is of" in alarm_of(schedule)
    made(schedule, created_at=clock.now)
    assert alarm_of(schedule) == ""


def test_the_newest_copy_is_faulty(schedule: Schedule) -> None:
    made(schedule)
    newest = made(schedule, fault="Part 3 has another checksum.")
    assert "is faulty: Part 3 has another checksum." in alarm_of(schedule)
    Backup.objects.filter(pk=newest.pk).update(fault="")
    assert alarm_of(schedule) == ""


def test_a_drill_that_failed_or_could_not_begin(schedule: Schedule) -> None:
    backup = made(schedule)
    drilled(backup, "The table orders is missing.")
    assert "failed: The table orders is missing." in alarm_of(schedule)
    drilled(backup)
    assert alarm_of(schedule) == ""
    Schedule.objects.filter(pk=schedule.pk).update(drill_refusal="The server web-1 is not ready.")
    assert alarm_of(schedule) == "The last drill could not begin. The server web-1 is not ready."


def test_a_drill_that_is_tried_again_is_not_yet_the_end(owner: Actor, schedule: Schedule) -> None:
    drill = drilled(made(schedule), "The table orders is missing.")
    raise_alarms()
    Restore.objects.filter(pk=drill.pk).update(error="", finished_at=None)
    job = enqueue_job(owner, kind="drill_backup", subject=drill, label="Try it")
    Restore.objects.filter(pk=drill.pk).update(job=job)
    assert alarm_of(schedule) != ""
    Job.objects.filter(pk=job.pk).update(status=JobStatus.SUCCEEDED)
    assert alarm_of(schedule) == ""


def test_what_cannot_be_deleted_for_days(owner: Actor, schedule: Schedule, clock: Clock) -> None:
    remove_backup(owner, backup=made(schedule))
    made(schedule)
    clock.advance(hours=23)
    assert alarm_of(schedule) == ""
    Schedule.objects.filter(pk=schedule.pk).update(max_age_hours=99)
    clock.advance(hours=2)
    assert "could not be" in alarm_of(schedule)
    Backup.objects.exclude(removing_at=None).update(removed_at=clock.now)
    assert alarm_of(schedule) == ""


def test_one_that_is_switched_off_has_no_alarm_and_time_to_begin_again(
    owner: Actor, schedule: Schedule, clock: Clock
) -> None:
    failed(schedule)
    raise_alarms()
    update_schedule(owner, schedule=schedule, is_active=False)
    clock.advance(days=30)
    assert alarm_of(schedule) == ""
    Backup.objects.all().delete()
    update_schedule(owner, schedule=schedule, is_active=True)
    assert alarm_of(schedule) == ""
    assert delivered() == []


def test_a_look_at_many_schedules_costs_one_query(
    owner: Actor, schedule: Schedule, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(5):
        made(create_schedule(owner, database=schedule.database, credential=schedule.credential, cron="0 3 * * *"))
    with django_assert_num_queries(1):
        raise_alarms()
