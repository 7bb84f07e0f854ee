"""From queueing a job to its start, through Redis and a worker as the supervisor starts it."""

import os
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.install import command_of, install
from bench.report import Report, WrongAnswer, run_part
from tests.peers import wait_until
from tools.processes import running

if TYPE_CHECKING:
    from deploynix.actor import Actor
    from jobs.models import Job

SETTINGS = "bench.quickjob.settings"
END_SECONDS = 30


def measure(report: Report, quick: bool) -> None:
    rounds = 20 if quick else 300
    report.about = {"jobs": rounds, "one after the other": True}
    with install(SETTINGS):
        from organizations.models import Role
        from tests import factories

        actor = factories.actor(factories.organization(), Role.OWNER)
        with running(command_of("worker"), Path(os.environ["DATA"]) / "worker.log"):
            for _ in range(5):
                run_one(actor)
            times = [run_one(actor) for _ in range(rounds)]
    queued, started, begun, ended = (statistics.median(found) * 1e3 for found in zip(*times, strict=True))
    report.add("from the call that queues a job to its start", started, "ms", "at most", 6)
    report.add("of it, until the call was over: the rows are written, a worker is rung", queued, "ms")
    report.add("from the call to the first line of the first step", begun, "ms")
    report.add("from the call to the end of the job", ended, "ms")


def run_one(actor: "Actor") -> tuple[float, float, float, float]:
    """Seconds from the call until it was over, a worker took the job, its first step began, and it had ended."""
    from django.db import transaction

    from jobs.actions import enqueue_job

    called_at = time.time()
    # As every action does: the rows are written together, and a worker is rung on commit.
    with transaction.atomic():
        job = enqueue_job(actor, kind="tell", subject=actor.organization, label="Tell")
    queued_at = time.time()
    wait_until(lambda: has_ended(job), END_SECONDS, "the job")
    if job.status != "succeeded" or job.started_at is None or job.finished_at is None:
        raise WrongAnswer(f"the job {job.status}: {job.error} {job.hint}")
    times = (queued_at, job.started_at.timestamp(), job.result["began_at"], job.finished_at.timestamp())
    queued, started, begun, ended = (found - called_at for found in times)
    return queued, started, begun, ended


def has_ended(job: "Job") -> bool:
    job.refresh_from_db()
    return not job.is_open


if __name__ == "__main__":
    run_part(measure)
