"""Orders whose worker is killed at any moment: another one goes on with them, and nothing of them stays in the zone."""

import os
import random
import signal
import time
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from certificates.models import Certificate, Issuance, IssuanceStatus, Proof
from deploynix.actor import Actor
from jobs.models import Job, Status
from jobs.reaper import reap
from jobs.runner import run_job
from tests.examples import rounds
from tests.lab.authorities import Pebble
from tests.lab.dns_servers import Served
from tests.lab.names import Names
from tests.lab.orders import (
    RECORD,
    await_forgetting,
    certificate,
    dns_credential,
    log_of,
    ordered,
    orders_at,
    values_at,
)

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True), pytest.mark.soak]
# What it tries differs each time, as the machine's load does.
chance = random.SystemRandom()
FOREIGN = {"of somebody else", "v=spf1 -all"}
# Of the workers of one job.
MOST_KILLS = 3
# Seconds; most are through with it by then.
LONGEST = 0.8


def worker(job: Job) -> int:
    """A process that runs the job."""
    connections.close_all()
    pid = os.fork()
    if pid:
        return pid
    try:
        run_job(job.pk)
    finally:
        os._exit(0)


def killed_after(job: Job, seconds: float) -> bool:
    """Whether the job's worker was still at work by then."""
    pid = worker(job)
    time.sleep(seconds)
    is_at_work = os.waitpid(pid, os.WNOHANG)[0] == 0
    if is_at_work:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    # As if its last heartbeat were long ago.
    Job.objects.filter(pk=job.pk, status=Status.RUNNING).update(heartbeat_at=timezone.now() - timedelta(minutes=1))
    reap()
    return is_at_work


def test_killed_at_random_moments(owner: Actor, names: Names, pebble: Pebble) -> None:
    dns_credential(owner, names.bind)
    for value in FOREIGN:
        Served(names.bind).add("example.test", RECORD, "TXT", value)
    kills = count = 0
    before = orders_at(pebble)
    while kills < rounds(10, 200):
        count += 1
        job = ordered(owner, certificate(owner, pebble))
        spans = [chance.uniform(0, LONGEST) for _ in range(chance.randint(1, MOST_KILLS))]
        kills += sum(killed_after(job, span) for span in spans)
        os.waitpid(worker(job), 0)
        job.refresh_from_db()
        assert (job.status, job.error) == (Status.SUCCEEDED, ""), log_of(job)
        assert values_at(names.bind) == FOREIGN, log_of(job)
        await_forgetting()
    issued = Issuance.objects.filter(status=IssuanceStatus.ISSUED)
    assert issued.count() == Issuance.objects.count() == Certificate.objects.count() == count
    assert not Proof.objects.filter(removed_at=None).exists()
    assert orders_at(pebble) == before + count
