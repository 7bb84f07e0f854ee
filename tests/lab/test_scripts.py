"""Scripts on a real server: values arrive as they are, and a run is run once, whatever happens meanwhile."""

from typing import Any

import pytest

from deploynix.actor import Actor
from jobs.actions import cancel_job, retry_job
from jobs.models import Job
from jobs.models import Status as JobStatus
from jobs.runner import run_job
from servers.actions import create_script, run_script
from servers.models import ScriptRun, Server
from tests.lab.provisioned import ProvisionedHost
from tests.lab.workers import Workers
from tests.peers import wait_until
from tools.targethost import Host

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]
HOSTILE = 'it\'s "quoted" $(touch /root/pasted) `touch /root/pasted` ${HOME} %s \\n\n;reboot # é\n'
SECRET = "canary $(id) 'secret'\nsecond line of it"
# Says that it was started, and ends a little later.
SLOW = "echo start >>/root/starts\nfor n in $(seq 40); do echo line $n; sleep 0.1; done\necho end >>/root/starts\n"
ENDLESS = "echo start >>/root/starts\nsleep 600\n"


def start(actor: Actor, server: Server, body: str, values: dict[str, str] | None = None, **options: Any) -> ScriptRun:
    declared = [{"name": name, "secret": name.startswith("SECRET")} for name in values or {}]
    name = f"Script {ScriptRun.objects.count()}"
    script = create_script(actor, name=name, body=body, parameters=declared, **options)
    (run,) = run_script(actor, script=script, servers=[server.pk], parameters=values)
    return run


def finished(run: ScriptRun) -> ScriptRun:
    run_job(run.job_id)
    return ended(run)


def ended(run: ScriptRun) -> ScriptRun:
    wait_until(lambda: not Job.objects.open().filter(pk=run.job_id).exists(), 60, "the end of the job")
    run = ScriptRun.objects.select_related("job").get(pk=run.pk)
    print(log_of(run))
    return run


def log_of(run: ScriptRun) -> str:
    return "".join(run.job.log.values_list("text", flat=True))


def starts(host: Host) -> list[str]:
    return host.run("cat", "/root/starts", check=False).stdout.split()


def left_behind(host: Host) -> str:
    folders = ("/var/lib/deploynix/units", "/run/deploynix", "/run/systemd/system", "/run")
    files = host.run("ls", *folders).stdout + host.run("find", "/tmp", "-name", "tmp.*").stdout
    return "\n".join(line for line in files.splitlines() if "dnx-" in line or "tmp." in line)


@pytest.mark.parametrize(("run_as", "home"), [("root", "/root"), ("deploynix", "/home/deploynix")])
def test_any_value_arrives_as_it_is_and_a_secret_stays_one(
    owner: Actor, provisioned_host: ProvisionedHost, run_as: str, home: str
) -> None:
    server, host = provisioned_host
    body = """#!/bin/bash
printf '%s' "$MESSAGE" >message
printf '%s' "$SECRET_KEY" | sha256sum
echo "it is $SECRET_KEY, by $(id -un) in $PWD with ${NOTHING-unset} of ${script_body-no body}"
cat
ps axww -o args
systemctl show dnx-\\*
"""
    values = {"MESSAGE": HOSTILE, "SECRET_KEY": SECRET, "NOTHING": ""}
    run = finished(start(owner, server, body, values, run_as=run_as))
    assert (run.job.status, run.job.error, run.exit_code) == (JobStatus.SUCCEEDED, "", 0)
    assert host.run("cat", f"{home}/message").stdout == HOSTILE
    assert host.run("ls", "/root/pasted", check=False).returncode != 0
    assert f"it is [redacted], by {run_as} in {home} with  of no body" in log_of(run)
    assert "canary" not in log_of(run)
    assert "touch /root/pasted" not in log_of(run)
    assert (run.parameters, run.secrets) == ({"MESSAGE": HOSTILE, "SECRET_KEY": None, "NOTHING": ""}, {})
    assert left_behind(host) == ""


def test_a_failure_says_how_it_ended_and_is_not_repeated(owner: Actor, provisioned_host: ProvisionedHost) -> None:
    server, host = provisioned_host
    run = finished(start(owner, server, "echo start >>/root/starts\necho broken >&2\nexit 7\n"))
    assert (run.job.status, run.exit_code) == (JobStatus.FAILED, 7)
    assert (run.job.error, "broken" in log_of(run)) == ("The script ended with exit code 7.", True)

    again = finished_again(owner, run)
    assert (again.job.status, again.job.error) == (JobStatus.FAILED, "This run has ended.")
    assert starts(host) == ["start"]


def finished_again(actor: Actor, run: ScriptRun) -> ScriptRun:
    retry_job(actor, job=run.job)
    return finished(run)


@pytest.mark.parametrize(("stubborn", "code"), [("", 124), ("trap '' TERM\n", 137)])
def test_a_script_that_takes_too_long_is_stopped(
    owner: Actor, provisioned_host: ProvisionedHost, stubborn: str, code: int
) -> None:
    server, host = provisioned_host
    run = finished(start(owner, server, f"{stubborn}sleep 600 & wait; sleep 600; sleep 600\n", timeout=1))
    assert (run.job.status, run.exit_code) == (JobStatus.FAILED, code)
    assert run.job.error == "The script was stopped: it had not ended after 1 seconds."
    assert "sleep 600" not in host.run("ps", "-e", "-o", "args").stdout
    assert left_behind(host) == ""


def test_cancelling_ends_the_script_on_the_server(
    owner: Actor, provisioned_host: ProvisionedHost, workers: Workers
) -> None:
    server, host = provisioned_host
    workers.start_worker()
    run = start(owner, server, ENDLESS, {"SECRET_KEY": SECRET})
    wait_until(lambda: starts(host) == ["start"], 60, "the script")
    cancel_job(owner, job=run.job)
    run = ended(run)
    assert (run.job.status, run.secrets) == (JobStatus.CANCELLED, {})
    assert "sleep 600" not in host.run("ps", "-e", "-o", "args").stdout
    assert left_behind(host) == ""


def test_a_killed_worker_does_not_make_it_run_twice(
    owner: Actor, provisioned_host: ProvisionedHost, workers: Workers
) -> None:
    server, host = provisioned_host
    worker = workers.start_worker()
    run = start(owner, server, SLOW)
    wait_until(lambda: starts(host) == ["start"], 60, "the script")
    workers.kill(worker.pid)
    workers.start_worker()
    run = ended(run)
    assert (run.job.status, run.job.attempt, run.exit_code) == (JobStatus.SUCCEEDED, 2, 0)
    assert starts(host) == ["start", "end"]
    assert "line 1\n" in log_of(run)
    assert "line 40\n" in log_of(run)


def test_a_restart_of_the_server_does_not_make_it_run_twice(owner: Actor, provisioned_host: ProvisionedHost) -> None:
    server, host = provisioned_host
    boot = host.run("cat", "/proc/sys/kernel/random/boot_id").stdout
    run = finished(start(owner, server, "echo start >>/root/starts\nsystemctl reboot\nsleep 600\n"))
    assert (run.job.status, run.exit_code) == (JobStatus.FAILED, None)
    assert run.job.error == "The server was restarted before the script had ended."
    assert host.run("cat", "/proc/sys/kernel/random/boot_id").stdout != boot
    assert starts(host) == ["start"]
    assert left_behind(host) == ""
