"""A job's life: its steps, its end, its second try, and what a worker that lost it may still do."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from audit.models import AuditEvent
from deploynix import redact
from deploynix.actor import Actor
from deploynix.errors import Conflict, Denied, Error
from jobs.actions import cancel_job, retry_job
from jobs.bell import next_in_lane, waiting_jobs
from jobs.models import Job, JobLog, Status
from jobs.reaper import reap
from jobs.run import Run
from jobs.runner import claim, run_job
from tests.jobs.toy import Toy, enqueue

pytestmark = pytest.mark.django_db


def log_of(job: Job) -> str:
    return "".join(JobLog.objects.filter(job=job).values_list("text", flat=True))


def fail(message: str, *, retryable: bool = False) -> None:
    raise Error(message, "Look at the server.", retryable=retryable)


def test_a_job_runs_its_steps_in_order_and_says_so(owner: Actor) -> None:
    job = enqueue(owner)
    run_job(job.pk)
    job.refresh_from_db()
    assert Toy.calls == ["first", "second", "third"]
    assert (job.status, job.progress, job.attempt) == (Status.SUCCEEDED, 100, 1)
    assert [step.status for step in job.steps.all()] == [Status.SUCCEEDED] * 3
    assert Toy.ends == [("succeeded", "")]
    assert log_of(job) == "==> First\n==> Second\n==> Third\n"


def test_a_failed_job_names_its_error_and_resumes_at_the_failed_step(owner: Actor) -> None:
    Toy.behaviours["second"] = lambda run: fail("The disk is full.")
    job = enqueue(owner)
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.error, job.hint) == (Status.FAILED, "The disk is full.", "Look at the server.")
    assert [step.status for step in job.steps.all()] == [Status.SUCCEEDED, Status.FAILED, Status.QUEUED]
    assert Toy.ends == [("failed", "The disk is full.")]

    Toy.reset()
    retry_job(owner, job=job)
    run_job(job.pk)
    job.refresh_from_db()
    assert Toy.calls == ["second", "third"]
    assert (job.status, job.error, job.attempt) == (Status.SUCCEEDED, "", 2)


def test_a_broken_step_fails_the_job_without_showing_the_exception(owner: Actor) -> None:
    Toy.behaviours["first"] = lambda run: run.job.params["secret-key"]
    job = enqueue(owner)
    run_job(job.pk)
    job.refresh_from_db()
    assert job.status == Status.FAILED
    assert job.error == "Something unexpected went wrong."
    assert "secret-key" not in job.error + job.hint + log_of(job)
    assert job.pk in job.hint


def test_a_retryable_error_is_tried_again_later_and_then_fails(owner: Actor) -> None:
    Toy.behaviours["first"] = lambda run: fail("The server does not answer.", retryable=True)
    job = enqueue(owner)
    for retries in (1, 2):
        run_job(job.pk)
        job.refresh_from_db()
        assert (job.status, job.retries) == (Status.QUEUED, retries)
        assert job.run_after > timezone.now()
        assert Toy.ends == []
        Job.objects.filter(pk=job.pk).update(run_after=timezone.now())
    run_job(job.pk)
    job.refresh_from_db()
    assert job.status == Status.FAILED
    assert Toy.ends == [("failed", "The server does not answer.")]


def test_two_jobs_of_one_lane_never_run_at_once_and_keep_their_order(owner: Actor) -> None:
    first, second = enqueue(owner, "server:1"), enqueue(owner, "server:1")
    assert claim(second.pk) is None, "the older one comes first"
    assert claim(first.pk) is not None
    assert claim(second.pk) is None, "the lane is taken"
    Job.objects.filter(pk=first.pk).update(status=Status.SUCCEEDED)
    assert claim(second.pk) is not None


def test_a_job_is_taken_once(owner: Actor) -> None:
    job = enqueue(owner)
    assert claim(job.pk) is not None
    assert claim(job.pk) is None


def test_a_stale_job_is_put_back_and_the_old_attempt_writes_nothing_more(owner: Actor) -> None:
    def lose_the_job(run: Run) -> None:
        run.line("before")
        run.flush()
        Job.objects.filter(pk=run.job.pk).update(heartbeat_at=timezone.now() - timedelta(seconds=7))
        reap()
        del Toy.behaviours["first"]
        run_job(run.job.pk)
        run.line("after")
        run.flush()
        run.progress(50)

    Toy.behaviours["first"] = lose_the_job
    job = enqueue(owner)
    run_job(job.pk)
    job.refresh_from_db()
    assert Toy.calls == ["first", "first", "second", "third"]
    assert (job.status, job.progress, job.attempt) == (Status.SUCCEEDED, 100, 2)
    assert Toy.ends == [("succeeded", "")]
    assert "before" in log_of(job)
    assert "after" not in log_of(job)


def test_a_job_with_a_heartbeat_is_left_alone(owner: Actor) -> None:
    job = enqueue(owner)
    run = claim(job.pk)
    assert run is not None
    reap()
    job.refresh_from_db()
    assert job.status == Status.RUNNING


def test_the_reaper_rings_for_jobs_that_nobody_heard_of(owner: Actor) -> None:
    lost, behind, elsewhere = enqueue(owner, "server:1"), enqueue(owner, "server:1"), enqueue(owner, "server:2")
    Job.objects.filter(pk=elsewhere.pk).update(sent_at=timezone.now())
    assert list(waiting_jobs(unsent_for=10)) == [lost]
    reap()
    assert list(waiting_jobs(unsent_for=10)) == []
    behind.refresh_from_db()
    assert behind.sent_at is None


def test_a_job_for_later_waits_and_is_rung_for_when_its_time_comes(
    owner: Actor, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        job = enqueue(owner, run_after=timezone.now() + timedelta(days=30))
    run_job(job.pk)
    reap()
    job.refresh_from_db()
    assert (job.status, job.sent_at) == (Status.QUEUED, None)

    Job.objects.filter(pk=job.pk).update(run_after=timezone.now())
    assert list(waiting_jobs(unsent_for=10)) == [job]
    reap()
    job.refresh_from_db()
    assert job.sent_at is not None
    run_job(job.pk)
    job.refresh_from_db()
    assert job.status == Status.SUCCEEDED


def test_a_job_for_later_lets_the_others_of_its_lane_pass(owner: Actor) -> None:
    scheduled = enqueue(owner, "site:1", run_after=timezone.now() + timedelta(days=30))
    at_once = enqueue(owner, "site:1")
    assert list(waiting_jobs(unsent_for=10)) == [at_once]
    assert next_in_lane("site:1") == at_once
    run_job(at_once.pk)
    at_once.refresh_from_db()
    scheduled.refresh_from_db()
    assert (at_once.status, scheduled.status) == (Status.SUCCEEDED, Status.QUEUED)
    assert next_in_lane("site:1") is None


def test_cancelling_a_waiting_job_ends_it_at_once(owner: Actor) -> None:
    job = enqueue(owner)
    cancel_job(owner, job=job)
    run_job(job.pk)
    job.refresh_from_db()
    assert job.status == Status.CANCELLED
    assert Toy.calls == []
    assert Toy.ends == [("cancelled", "")]
    assert AuditEvent.objects.get().event == "job.cancelled"


def test_cancelling_a_running_job_stops_it_between_steps(owner: Actor) -> None:
    def cancel(run: Run) -> None:
        cancel_job(owner, job=run.job)

    Toy.behaviours["first"] = cancel
    job = enqueue(owner)
    run_job(job.pk)
    job.refresh_from_db()
    assert job.status == Status.CANCELLED
    assert Toy.calls == ["first"]
    assert [step.status for step in job.steps.all()] == [Status.CANCELLED, Status.QUEUED, Status.QUEUED]


def test_an_error_that_the_cancellation_caused_counts_as_the_cancellation(owner: Actor) -> None:
    def be_killed(run: Run) -> None:
        cancel_job(owner, job=run.job)
        run.stopping.set()
        fail("The command was killed.")

    Toy.behaviours["first"] = be_killed
    job = enqueue(owner)
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.error) == (Status.CANCELLED, "")


def test_a_cancelled_job_can_be_retried_but_an_ended_one_not_cancelled(owner: Actor) -> None:
    job = enqueue(owner)
    cancel_job(owner, job=job)
    with pytest.raises(Conflict, match="already cancelled"):
        cancel_job(owner, job=job)
    retry_job(owner, job=job)
    run_job(job.pk)
    job.refresh_from_db()
    assert job.status == Status.SUCCEEDED
    with pytest.raises(Conflict, match="is succeeded"):
        retry_job(owner, job=job)


def test_a_viewer_can_neither_cancel_nor_retry(owner: Actor, member: Actor) -> None:
    job = enqueue(owner)
    with pytest.raises(Denied, match="job:update"):
        cancel_job(member, job=job)
    with pytest.raises(Denied, match="job:update"):
        retry_job(member, job=job)


def test_changes_of_a_lost_attempt_are_rolled_back(owner: Actor) -> None:
    def lose_then_write(run: Run) -> None:
        Job.objects.filter(pk=run.job.pk).update(attempt=run.attempt + 1)
        with run.write():
            raise AssertionError("a lost attempt must not get here")

    Toy.behaviours["first"] = lose_then_write
    job = enqueue(owner)
    run_job(job.pk)
    job.refresh_from_db()
    assert job.status == Status.RUNNING
    assert Toy.ends == []


def test_secrets_are_redacted_before_anything_is_stored(owner: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "hunter2hunter2"
    monkeypatch.setattr(redact, "_sources", [lambda organization_id: [secret]])

    def leak(run: Run) -> None:
        run.log("password is hunter2")
        run.log("hunter2\n")
        fail(f"cannot sign in with {secret}")

    Toy.behaviours["first"] = leak
    job = enqueue(owner)
    run_job(job.pk)
    job.refresh_from_db()
    assert f"password is {redact.MASK}\n" in log_of(job)
    assert job.error == f"cannot sign in with {redact.MASK}"
    assert secret not in log_of(job)


def test_the_log_is_stored_gap_free_and_in_order(owner: Actor) -> None:
    def chatter(run: Run) -> None:
        for number in range(5_000):
            run.line(f"line {number} \N{SNOWMAN}")
            if number % 700 == 0:
                run.flush()

    Toy.behaviours["first"] = chatter
    job = enqueue(owner)
    run_job(job.pk)
    job.refresh_from_db()
    text = log_of(job)
    assert "".join(f"line {number} \N{SNOWMAN}\n" for number in range(5_000)) in text
    offset = 0
    for piece in JobLog.objects.filter(job=job):
        assert piece.offset == offset
        offset += len(piece.text)
    assert offset == job.log_size == len(text)


def test_what_could_not_be_stored_is_stored_with_what_follows(owner: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    def lose_the_database(**fields: object) -> None:
        raise OperationalError

    job = enqueue(owner)
    run = claim(job.pk)
    assert run is not None
    run.line("before")
    with monkeypatch.context() as patched:
        patched.setattr(JobLog.objects, "create", lose_the_database)
        with pytest.raises(OperationalError):
            run.flush()
    run.line("after")
    run.flush()
    job.refresh_from_db()
    assert log_of(job) == "before\nafter\n"
    assert job.log_size == len(log_of(job))


def test_a_step_that_says_nothing_costs_few_queries(
    owner: Actor, django_assert_num_queries: DjangoAssertNumQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redact, "_sources", [])
    job = enqueue(owner)
    run_job(enqueue(owner).pk)
    # Taking and ending the job: 9, with their savepoints. Each step: 2 looks whether to stop, 6 to begin, and 4 to end.
    with django_assert_num_queries(9 + 3 * (2 + 6 + 4)):
        run_job(job.pk)


def test_a_character_split_over_two_chunks_of_output_is_kept(owner: Actor) -> None:
    def split(run: Run) -> None:
        snowman = "\N{SNOWMAN}\n".encode()
        run.output(snowman[:1])
        run.output(snowman[1:])

    Toy.behaviours["first"] = split
    job = enqueue(owner)
    run_job(job.pk)
    assert "\N{SNOWMAN}\n" in log_of(job)
