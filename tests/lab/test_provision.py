"""A fresh Debian machine becomes a server, stays one, and says so."""

import pytest

from deploynix.actor import Actor
from jobs.models import Job
from jobs.models import Status as JobStatus
from jobs.runner import run_job
from servers.actions import provision_server
from servers.models import Server, Status
from tests.lab.provisioned import provision
from tools.targethost import Host

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]


def log_of(job: Job) -> str:
    return "".join(job.log.values_list("text", flat=True))


def test_provisioning_a_fresh_machine_and_again(owner: Actor, target_host: Host) -> None:
    server, job = provision(owner, target_host)
    print(log_of(job))
    for step in job.steps.all():
        print(step.name, step.status, step.seconds)
    assert job.status == JobStatus.SUCCEEDED, job.error + job.hint
    again = provision_server(owner, server=server)
    run_job(again.pk)
    again.refresh_from_db()
    print(log_of(again))
    for step in again.steps.all():
        print(step.name, step.status, step.seconds)
    assert again.result["changes"] == 0
