"""A step may put its job off until a time, as often as it likes."""

from datetime import timedelta

import pytest
from django.utils import timezone

from deploynix.actor import Actor
from jobs.actions import cancel_job
from jobs.bell import waiting_jobs
from jobs.models import Job, JobLog, Status
from jobs.run import Postponed, Run
from jobs.runner import run_job
from tests.jobs.toy import Toy, enqueue

pytestmark = pytest.mark.django_db


def wait(run: Run) -> None:
    raise Postponed(timezone.now() + timedelta(hours=2), "The quota is used up.")


def test_it_runs_the_step_again_when_the_time_has_come(owner: Actor) -> None:
    Toy.behaviours["second"] = wait
    job = enqueue(owner)
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.retries, job.error, Toy.ends) == (Status.QUEUED, 0, "", [])
    assert [step.status for step in job.steps.all()] == [Status.SUCCEEDED, Status.QUEUED, Status.QUEUED]
    text = "".join(JobLog.objects.values_list("text", flat=True))
    assert f"The quota is used up. It goes on at {job.run_after:%Y-%m-%d %H:%M:%S} UTC." in text
    run_job(job.pk)
    assert Toy.calls == ["first", "second"]
    assert job not in waiting_jobs(unsent_for=0)

    Toy.behaviours = {}
    Job.objects.update(run_after=timezone.now())
    assert job in waiting_jobs(unsent_for=0)
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.status, Toy.calls) == (Status.SUCCEEDED, ["first", "second", "second", "third"])


def test_others_of_its_lane_go_first_meanwhile(owner: Actor) -> None:
    Toy.behaviours["first"] = wait
    run_job(enqueue(owner, lane="shared").pk)
    Toy.behaviours = {}
    other = enqueue(owner, lane="shared")
    run_job(other.pk)
    other.refresh_from_db()
    assert other.status == Status.SUCCEEDED


def test_one_that_is_cancelled_meanwhile_ends_at_once(owner: Actor) -> None:
    def cancelled(run: Run) -> None:
        cancel_job(owner, job=run.job)
        wait(run)

    Toy.behaviours["second"] = cancelled
    job = enqueue(owner)
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.status, Toy.ends) == (Status.CANCELLED, [("cancelled", "")])
