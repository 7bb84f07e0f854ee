"""A provisioning goes on where it was, whatever becomes of the workers, and ends as one that nobody disturbed."""

import pytest

from deploynix.actor import Actor
from jobs.actions import cancel_job, retry_job
from jobs.models import Job, JobStep
from jobs.models import Status as JobStatus
from servers.actions import create_server, provision_server
from servers.kinds.provisioning import ProvisionServer
from servers.models import Server, Status
from tests.lab.workers import Workers
from tests.peers import wait_until
from tools.targethost import Host

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]
STEPS = [step.name for step in ProvisionServer.steps]


def add(actor: Actor, host: Host) -> tuple[Server, Job]:
    server = create_server(actor, name="web-1", ip_address=host.ip, private_key=host.private_key_path.read_text())
    return server, Job.objects.about(server).get()


def is_running(job: Job, step: str) -> bool:
    return JobStep.objects.filter(job=job, name=step, status=JobStatus.RUNNING).exists()


def is_taken(job: Job, attempt: int) -> bool:
    return Job.objects.filter(pk=job.pk, attempt=attempt, status=JobStatus.RUNNING).exists()


def ended(job: Job) -> Job:
    wait_until(lambda: not Job.objects.open().filter(pk=job.pk).exists(), 240, "the end of the job")
    job.refresh_from_db()
    return job


def installations(host: Host) -> int:
    return host.run("cat", "/var/log/apt/history.log", check=False).stdout.count("\nCommandline: apt-get")


def left_behind(host: Host) -> str:
    units = host.run("systemctl", "list-units", "--all", "--no-legend", "dnx-*").stdout
    return units + host.run("ls", "/var/lib/deploynix/units", "/run/systemd/system").stdout.replace(":", "")


def test_a_worker_killed_in_every_step(owner: Actor, target_host: Host, workers: Workers) -> None:
    worker = workers.start_worker()
    server, job = add(owner, target_host)
    for number, step in enumerate(STEPS):
        wait_until(lambda step=step: is_running(job, step), 120, f"step {step}")  # type: ignore[misc]
        workers.kill(worker.pid)
        worker = workers.start_worker()
        wait_until(lambda attempt=number + 2: is_taken(job, attempt), 10, f"another worker after {step}")  # type: ignore[misc]
    ended(job)
    assert (job.status, job.error, job.attempt) == (JobStatus.SUCCEEDED, "", len(STEPS) + 1)
    assert installations(target_host) == 1
    assert "dnx-" not in left_behind(target_host)

    again = ended(provision_server(owner, server=server))
    assert (again.status, again.result["changes"]) == (JobStatus.SUCCEEDED, 0)
    server.refresh_from_db()
    assert server.status == Status.ACTIVE


def test_cancelling_ends_what_runs_on_the_server_and_retry_goes_on(
    owner: Actor, target_host: Host, workers: Workers
) -> None:
    workers.start_worker()
    server, job = add(owner, target_host)
    wait_until(lambda: "apt-get" in target_host.run("ps", "-e", "-o", "args").stdout, 60, "apt")
    cancel_job(owner, job=job)
    assert ended(job).status == JobStatus.CANCELLED
    assert "apt-get" not in target_host.run("ps", "-e", "-o", "args").stdout
    server.refresh_from_db()
    assert (server.status, server.status_reason) == (Status.PENDING, "The provisioning was cancelled.")

    assert ended(retry_job(owner, job=job)).status == JobStatus.SUCCEEDED
    server.refresh_from_db()
    assert (server.status, server.status_reason) == (Status.ACTIVE, "")
