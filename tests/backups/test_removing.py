"""Deleting: exactly the objects of rows that are to go, and nothing that is in use, or the last good one."""

from typing import Any

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from backups import store
from backups.actions import create_schedule, make_backup, remove_backup, restore_backup, update_schedule, verify_backup
from backups.kinds.removing import prune
from backups.models import Backup, BackupPart, Schedule, Status
from deploynix.actor import Actor
from jobs.actions import enqueue_job, retry_job
from jobs.models import Job
from jobs.models import Status as JobStatus
from jobs.run import Run
from jobs.runner import claim, run_job
from providers.errors import MissingPermission
from tests import factories

pytestmark = pytest.mark.django_db


class Store:
    """Remembers what it was told to delete. The real ones are asked in the lab."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.deleted: list[str] = []
        self.refuses = False
        monkeypatch.setattr(store, "delete", self.delete)

    def delete(self, backup: Backup) -> None:
        if self.refuses:
            raise MissingPermission("s3:DeleteObject", "The store denies s3:DeleteObject.", "Allow it.")
        self.deleted.append(backup.key)


@pytest.fixture
def objects(monkeypatch: pytest.MonkeyPatch) -> Store:
    return Store(monkeypatch)


def made(schedule: Schedule, **fields: Any) -> Backup:
    return factories.backup(schedule.credential, database=schedule.database, schedule=schedule, **fields)


def running(owner: Actor, schedule: Schedule) -> Run:
    """The attempt at a job in whose last step it is pruned."""
    job = enqueue_job(owner, kind="make_backup", subject=made(schedule), label="Back up shop")
    run = claim(job.pk)
    assert run is not None
    return run


def pruned(owner: Actor, schedule: Schedule) -> None:
    """What the step does after another success, which is the newest backup then."""
    schedule.refresh_from_db()
    prune(running(owner, schedule), schedule)


def test_a_removal_deletes_the_object_and_keeps_the_row(owner: Actor, schedule: Schedule, objects: Store) -> None:
    backup, other = made(schedule), made(schedule)
    for row in (backup, other):
        BackupPart.objects.create(backup=row, number=1, size=1000, sha256="0" * 64, etag="x")
    run_job(remove_backup(owner, backup=backup).pk)
    backup.refresh_from_db()
    assert objects.deleted == [backup.key]
    assert backup.removed_at is not None
    assert backup.size == 1000
    assert BackupPart.objects.get().backup == other
    assert Job.objects.get(subject_id=backup.pk).status == JobStatus.SUCCEEDED


def test_a_removal_that_the_store_denies_fails_and_says_so(owner: Actor, schedule: Schedule, objects: Store) -> None:
    objects.refuses = True
    job = remove_backup(owner, backup=made(schedule))
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.hint) == (JobStatus.FAILED, "Allow it.")
    assert Backup.objects.get().removed_at is None


def test_those_whose_time_is_over_go_and_no_others(owner: Actor, schedule: Schedule, objects: Store) -> None:
    update_schedule(owner, schedule=schedule, keep_last=2)
    other = create_schedule(owner, database=schedule.database, credential=schedule.credential, cron="0 3 * * *")
    for _ in range(3):
        made(other)
    by_hand = factories.backup(schedule.credential, database=schedule.database)
    old = [made(schedule) for _ in range(3)]
    pruned(owner, schedule)
    assert objects.deleted == [old[0].key, old[1].key]
    assert Backup.objects.exclude(removed_at=None).count() == 2
    by_hand.refresh_from_db()
    assert by_hand.removed_at is None
    gone = AuditEvent.objects.filter(event="backup.pruned").order_by("id").values_list("target_id", flat=True)
    assert list(gone) == [old[0].pk, old[1].pk]
    pruned(owner, schedule)
    assert objects.deleted == [row.key for row in old]


def test_without_a_good_one_nothing_goes(owner: Actor, schedule: Schedule, objects: Store) -> None:
    update_schedule(owner, schedule=schedule, keep_last=1)
    for _ in range(3):
        made(schedule)
    run = running(owner, schedule)
    Backup.objects.update(fault="Part 3 has another checksum.")
    prune(run, Schedule.objects.get())
    assert objects.deleted == []


def test_what_failed_its_first_verification_goes_when_it_is_outlived(
    owner: Actor, schedule: Schedule, objects: Store
) -> None:
    update_schedule(owner, schedule=schedule, keep_last=1)
    broken = made(schedule, status=Status.FAILED, fault="Part 3 has another checksum.", verified_at=None)
    never_stored = made(schedule, status=Status.FAILED, verified_at=None)
    pruned(owner, schedule)
    assert objects.deleted == [broken.key]
    never_stored.refresh_from_db()
    assert never_stored.removed_at is None


def test_what_is_being_restored_or_verified_waits_for_the_next_time(
    owner: Actor, schedule: Schedule, objects: Store
) -> None:
    update_schedule(owner, schedule=schedule, keep_last=1)
    restored, verified = made(schedule), made(schedule)
    restore_backup(owner, backup=restored)
    verify_backup(owner, backup=verified)
    pruned(owner, schedule)
    assert objects.deleted == []
    Job.objects.update(status=JobStatus.SUCCEEDED)
    pruned(owner, schedule)
    assert set(objects.deleted) > {restored.key, verified.key}


def test_what_the_store_does_not_delete_is_tried_again_and_fails_no_backup(
    owner: Actor, schedule: Schedule, objects: Store
) -> None:
    update_schedule(owner, schedule=schedule, keep_last=1)
    old = made(schedule)
    objects.refuses = True
    run = running(owner, schedule)
    prune(run, Schedule.objects.get())
    run.end_log()
    text = "".join(run.job.log.values_list("text", flat=True))
    assert f"{old.key} could not be deleted: The store denies s3:DeleteObject. Allow it." in text
    old.refresh_from_db()
    assert (old.removed_at, old.removing_at is not None) == (None, True)
    objects.refuses = False
    pruned(owner, schedule)
    assert old.key in objects.deleted


def test_a_backup_by_hand_prunes_nothing(owner: Actor, schedule: Schedule, objects: Store) -> None:
    for _ in range(9):
        made(schedule, created_at=timezone.now())
    prune(running(owner, schedule), None)
    assert objects.deleted == []


def test_a_backup_that_was_removed_is_not_made_after_all(owner: Actor, schedule: Schedule, objects: Store) -> None:
    """Its object would be in the store, and nobody would know of it."""
    assert schedule.database is not None
    backup = make_backup(owner, database=schedule.database, credential=schedule.credential)
    assert backup.job is not None
    Job.objects.filter(pk=backup.job.pk).update(status=JobStatus.FAILED)
    Backup.objects.filter(pk=backup.pk).update(status=Status.FAILED)
    run_job(remove_backup(owner, backup=backup).pk)
    run_job(retry_job(owner, job=backup.job).pk)
    backup.refresh_from_db()
    backup.job.refresh_from_db()
    assert (backup.job.status, backup.job.error) == (JobStatus.FAILED, "The backup has been removed.")
    assert backup.removed_at is not None
