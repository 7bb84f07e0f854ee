"""What Prometheus reads of backups and jobs."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from backups.actions import create_schedule
from backups.metrics import metrics
from backups.models import Schedule, Status
from deploynix.actor import Actor
from jobs.actions import enqueue_job
from jobs.models import Job
from jobs.models import Status as JobStatus
from servers.models import Server
from sites.models import Site
from tests import factories

pytestmark = pytest.mark.django_db


def figures(client: Client) -> dict[str, float]:
    """The values, by what stands before them."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    lines = [line for line in answer.content.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def of(schedule: Schedule) -> str:
    return f'{{schedule="{schedule.pk}",server="web-1",target="shop"}}'


def test_the_age_of_the_newest_good_backup(client: Client, schedule: Schedule) -> None:
    assert figures(client)[f"deploynix_backup_age_seconds{of(schedule)}"] == float("inf")
    for fields in ({"created_at": timezone.now() - timedelta(hours=3)}, {"fault": "Part 3 has another checksum."}):
        factories.backup(schedule.credential, database=schedule.database, schedule=schedule, **fields)
    found = figures(client)
    assert found[f"deploynix_backup_age_seconds{of(schedule)}"] == pytest.approx(3 * 3600, abs=60)
    assert found[f"deploynix_backup_max_age_seconds{of(schedule)}"] == 27 * 3600
    assert found[f"deploynix_backup_proven_age_seconds{of(schedule)}"] == float("inf")


def test_alarms(client: Client, schedule: Schedule) -> None:
    assert figures(client)[f"deploynix_backup_alarm{of(schedule)}"] == 0
    Schedule.objects.filter(pk=schedule.pk).update(alarm="It failed.", alarmed_at=timezone.now())
    assert figures(client)[f"deploynix_backup_alarm{of(schedule)}"] == 1
    Schedule.objects.filter(pk=schedule.pk).update(is_active=False)
    assert f"deploynix_backup_alarm{of(schedule)}" not in figures(client)


def test_what_is_stored_and_what_is_under_way(client: Client, schedule: Schedule, site: Site) -> None:
    for status in (Status.PENDING, Status.IN_PROGRESS, Status.IN_PROGRESS, Status.FAILED):
        factories.backup(schedule.credential, database=schedule.database, status=status)
    factories.backup(schedule.credential, database=schedule.database, size=5 * 2**40)
    factories.backup(schedule.credential, database=schedule.database, removed_at=timezone.now())
    factories.backup(schedule.credential, site=site, size=7)
    found = figures(client)
    assert found['deploynix_backups_open{status="pending"}'] == 1
    assert found['deploynix_backups_open{status="in_progress"}'] == 2
    assert found['deploynix_backups_stored{type="database"}'] == 1
    assert found['deploynix_backups_stored_bytes{type="database"}'] == 5 * 2**40
    assert found['deploynix_backups_stored_bytes{type="application"}'] == 7


def test_jobs_and_queues(client: Client, owner: Actor, server: Server) -> None:
    later = timezone.now() + timedelta(hours=1)
    jobs = [enqueue_job(owner, kind="read_log", subject=server, label="Read a log") for _ in range(5)]
    enqueue_job(owner, kind="read_log", subject=server, label="Read a log", run_after=later)
    for job, status in zip(jobs, (JobStatus.RUNNING, JobStatus.FAILED, JobStatus.FAILED), strict=False):
        Job.objects.filter(pk=job.pk).update(status=status)
    Job.objects.filter(pk=jobs[4].pk).update(run_after=timezone.now() - timedelta(minutes=5))
    found = figures(client)
    assert found['deploynix_jobs{status="queued"}'] == 3
    assert found['deploynix_jobs{status="running"}'] == 1
    assert found['deploynix_jobs_ended{status="failed"}'] == 2
    assert found['deploynix_jobs_ended{status="succeeded"}'] == 0
    (queue,) = [name for name in found if name.startswith("deploynix_queue_depth")]
    assert found[queue] == 2
    assert found[queue.replace("depth", "wait_seconds")] == pytest.approx(300, abs=60)


def test_many_schedules_cost_no_more_queries(
    owner: Actor, schedule: Schedule, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(5):
        create_schedule(owner, database=schedule.database, credential=schedule.credential, cron="0 3 * * *")
    with django_assert_num_queries(3):
        assert len(list(metrics())) > 0
