"""Turns: one attempt at a time, freed whichever way it ends. With several workers they are tested in tests/lab."""

from datetime import timedelta

import pytest
from django.utils import timezone

from deploynix.actor import Actor
from jobs.actions import cancel_job
from jobs.models import Job, Turn
from jobs.reaper import reap
from jobs.run import Cancelled, Run, TakenOver
from jobs.runner import claim
from jobs.turns import Busy, turn
from tests.jobs.toy import enqueue

pytestmark = pytest.mark.django_db


def running(actor: Actor) -> Run:
    run = claim(enqueue(actor).pk)
    assert run is not None
    return run


@pytest.fixture
def first(owner: Actor) -> Run:
    return running(owner)


@pytest.fixture
def second(outsider: Actor) -> Run:
    return running(outsider)


def is_free(run: Run, name: str = "zone:1") -> bool:
    try:
        with turn(run, name, shown="the zone", seconds=0):
            return True
    except Busy:
        return False


def test_one_at_a_time(first: Run, second: Run) -> None:
    with turn(first, "zone:1", shown="the zone"):
        assert not is_free(second)
        # Another thread of the same job may be writing.
        assert not is_free(first)
        assert is_free(second, "zone:2")
    assert is_free(second)
    assert is_free(first)
    assert not Turn.objects.exists()


def test_who_waits_too_long_is_told_on_what(first: Run, second: Run) -> None:
    with (
        turn(first, "zone:1", shown="the zone"),
        pytest.raises(Busy, match="the zone") as failure,
        turn(second, "zone:1", shown="the zone", seconds=0.1),
    ):
        pass
    assert failure.value.retryable


def test_it_is_free_after_an_error(first: Run, second: Run) -> None:
    with pytest.raises(ZeroDivisionError), turn(first, "zone:1", shown="the zone"):
        raise ZeroDivisionError
    assert is_free(second)


def test_what_a_dead_worker_had_is_free_once_its_job_is_put_back(first: Run, second: Run) -> None:
    Turn.objects.create(name="zone:1", job=first.job, attempt=first.attempt)
    assert not is_free(second)
    Job.objects.filter(pk=first.job.pk).update(heartbeat_at=timezone.now() - timedelta(seconds=10))
    reap()
    assert is_free(second)


def test_an_attempt_does_not_have_what_the_one_before_it_had(first: Run) -> None:
    Turn.objects.create(name="zone:1", job=first.job, attempt=first.attempt)
    Job.objects.filter(pk=first.job.pk).update(heartbeat_at=timezone.now() - timedelta(seconds=10))
    reap()
    again = claim(first.job.pk)
    assert again is not None
    with turn(again, "zone:1", shown="the zone"):
        # The worker that was taken for dead wakes up, and ends what it was in.
        with pytest.raises(TakenOver), turn(first, "zone:2", shown="the zone"):
            pass
        assert not is_free(again)


def test_a_job_that_is_cancelled_waits_no_longer(owner: Actor, first: Run, second: Run) -> None:
    cancel_job(owner, job=first.job)
    first.stopping.set()
    with (
        turn(second, "zone:1", shown="the zone"),
        pytest.raises(Cancelled),
        turn(first, "zone:1", shown="the zone", seconds=10),
    ):
        pass
