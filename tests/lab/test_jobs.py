"""Jobs survive what happens to workers and brokers: kill -9, a stopped process that wakes up, an emptied Redis."""

import os
import signal
from functools import partial
from pathlib import Path

import pytest
import redis

from deploynix.actor import Actor
from jobs.actions import enqueue_job
from jobs.models import Job, JobLog, JobStep, Status
from tests.lab.toyapp import kinds  # noqa: F401
from tests.lab.workers import Workers
from tests.peers import Redis, wait_until

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]


def enqueue(actor: Actor, folder: Path, lane: str = "") -> Job:
    return enqueue_job(
        actor, kind="gated", subject=actor.organization, label="Gated", lane=lane, params={"folder": str(folder)}
    )


def trace(folder: Path) -> list[list[str]]:
    path = folder / "trace"
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def runner_of(folder: Path, step: str) -> int:
    """The process that began the step last."""
    return next(int(pid) for _, name, event, pid in reversed(trace(folder)) if (name, event) == (step, "begin"))


def has_begun(folder: Path, step: str, times: int = 1) -> bool:
    return sum(line[1:3] == [step, "begin"] for line in trace(folder)) >= times


def has_ended(*jobs: Job) -> bool:
    return not Job.objects.open().filter(pk__in=[job.pk for job in jobs]).exists()


def test_a_killed_worker_s_job_resumes_at_the_same_step_within_ten_seconds(
    owner: Actor, workers: Workers, tmp_path: Path
) -> None:
    steps = ("one", "two", "three")
    for step in steps:
        (tmp_path / f"hold-{step}").touch()
    workers.start_worker()
    job = enqueue(owner, tmp_path)
    for step in steps:
        wait_until(partial(has_begun, tmp_path, step), 30, f"step {step}")
        workers.start_worker()
        workers.kill(runner_of(tmp_path, step))
        wait_until(partial(has_begun, tmp_path, step, times=2), 10, f"step {step} on another worker")
        (tmp_path / f"hold-{step}").unlink()
    wait_until(lambda: has_ended(job), 10, "the end")
    job.refresh_from_db()
    assert (job.status, job.attempt) == (Status.SUCCEEDED, 4)
    begun = [line[1] for line in trace(tmp_path) if line[2] == "begin"]
    assert begun == ["one", "one", "two", "two", "three", "three"]


def test_a_stopped_worker_that_wakes_up_after_its_job_was_taken_over_writes_nothing(
    owner: Actor, workers: Workers, tmp_path: Path
) -> None:
    (tmp_path / "hold-three").touch()
    workers.start_worker()
    job = enqueue(owner, tmp_path)
    wait_until(lambda: has_begun(tmp_path, "three"), 30, "step three")
    sleeper = runner_of(tmp_path, "three")
    os.kill(sleeper, signal.SIGSTOP)
    workers.start_worker()
    wait_until(lambda: has_begun(tmp_path, "three", times=2), 20, "step three on another worker")
    (tmp_path / "hold-three").unlink()
    wait_until(lambda: has_ended(job), 10, "the end")
    before = snapshot(job)

    os.kill(sleeper, signal.SIGCONT)
    woken = [job.pk, "three", "end", str(sleeper)]
    wait_until(lambda: woken in trace(tmp_path), 10, "the woken worker to pass its step")
    wait_until(lambda: "was taken over" in (tmp_path / "process-1.log").read_text(), 10, "it to notice")
    assert snapshot(job) == before
    owner.organization.refresh_from_db()
    assert owner.organization.name == "by attempt 2"


def snapshot(job: Job) -> list[list[tuple[object, ...]]]:
    return [
        list(Job.objects.filter(pk=job.pk).values_list()),
        list(JobStep.objects.filter(job=job).order_by("pk").values_list()),
        list(JobLog.objects.filter(job=job).values_list()),
    ]


def test_emptying_redis_loses_no_queued_job(owner: Actor, workers: Workers, broker: Redis, tmp_path: Path) -> None:
    queued = [enqueue(owner, tmp_path) for _ in range(20)]
    redis.Redis.from_url(broker.url).flushall()
    workers.start_worker()
    wait_until(lambda: has_ended(*queued[:1]), 30, "the first job")
    more = [enqueue(owner, tmp_path) for _ in range(20)]
    redis.Redis.from_url(broker.url).flushall()
    wait_until(lambda: has_ended(*queued, *more), 40, "all jobs")
    assert Job.objects.filter(status=Status.SUCCEEDED).count() == 40


def test_jobs_of_one_lane_never_overlap_on_two_workers(owner: Actor, workers: Workers, tmp_path: Path) -> None:
    jobs = [enqueue(owner, tmp_path, lane="server:1") for _ in range(12)]
    workers.start_worker()
    workers.start_worker()
    wait_until(lambda: has_ended(*jobs), 60, "all jobs")
    events = [(line[0], line[1], line[2]) for line in trace(tmp_path)]
    in_turn = [(job.pk, step, event) for job in jobs for step in ("one", "two", "three") for event in ("begin", "end")]
    assert events == in_turn
