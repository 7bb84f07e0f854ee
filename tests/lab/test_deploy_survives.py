"""A deploy outlives its worker, may run each of its steps again, and ends cleanly when it is cancelled."""

import pytest

from deploynix.ids import new_id
from jobs.actions import cancel_job
from jobs.models import Job, JobStep
from jobs.models import Status as JobStatus
from sites.actions.deployments import deploy_site
from sites.actions.sites import update_site
from sites.kinds import DeploySite
from sites.models import Site
from tests.lab.sites import Shop, log_of, run, succeeded
from tests.lab.workers import Workers
from tests.peers import wait_until

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]
STEPS = [step.name for step in DeploySite.steps]


def gated(shop: Shop, site: Site) -> str:
    """Makes the build wait for a file, whose path is returned, and count its runs."""
    gate = f"/tmp/gate-{new_id()}"
    wait = f"for i in $(seq 600); do test -e {gate} && break; sleep 0.1; done"
    update_site(shop.owner, site=site, build_commands=f"echo run >>~/runs\n{wait}\ntouch built")
    return gate


def state(shop: Shop, site: Site) -> tuple[object, ...]:
    """What the server and the database say about the site; times apart."""
    site.refresh_from_db()
    rows = list(site.releases.order_by("id").values_list("pk", "folder", "commit", "is_on_server"))
    current = shop.root(f"readlink {site.folder}/current").strip()
    files = shop.root(f"cd {site.folder} && find releases shared -print | sort")
    return site.status, site.current_release_id, rows, current, files, shop.visit(site)


def status_of(job: Job) -> str:
    return str(Job.objects.values_list("status", flat=True).get(pk=job.pk))


@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_was_done_but_not_recorded_is_done_again(shop: Shop, step: str) -> None:
    site, repository = shop.static_site("one", build_commands="cp index.html copy.html")
    succeeded(shop.deploy(site))
    repository.commit({"index.html": "two"}, "Two")
    job = succeeded(shop.deploy(site))
    before = state(shop, site)
    # As a worker leaves it that is killed right after the step's work.
    JobStep.objects.filter(job=job, position__gte=STEPS.index(step)).update(status=JobStatus.QUEUED)
    Job.objects.filter(pk=job.pk).update(status=JobStatus.QUEUED)
    succeeded(run(job))
    assert state(shop, site) == before


def test_a_killed_worker_s_build_goes_on_and_is_followed_by_another(shop: Shop, workers: Workers) -> None:
    site, _ = shop.static_site("one")
    gate = gated(shop, site)
    first = workers.start_worker()
    job = deploy_site(shop.owner, site=site).job
    assert job
    wait_until(lambda: shop.root(f"cat {site.folder}/home/runs") == "run\n", 30, "the build")
    workers.kill(first.pid)
    workers.start_worker()
    wait_until(lambda: Job.objects.filter(pk=job.pk, attempt=2, status=JobStatus.RUNNING).exists(), 30, "the takeover")
    shop.root(f"touch {gate}")
    wait_until(lambda: status_of(job) == JobStatus.SUCCEEDED, 20, "the end")
    assert shop.visit(site) == (200, "one")
    assert shop.visit(site, "/built")[0] == 200
    assert shop.root(f"cat {site.folder}/home/runs").split() == ["run"]
    assert "dnx-" not in shop.root("ls /var/lib/deploynix/units; systemctl list-units --all 'dnx-*' --no-legend")


def test_cancelling_ends_the_build_and_leaves_the_old_release(shop: Shop, workers: Workers) -> None:
    site, _ = shop.static_site("one")
    succeeded(shop.deploy(site))
    before = state(shop, site)[1:]
    gated(shop, site)
    workers.start_worker()
    job = deploy_site(shop.owner, site=site).job
    assert job
    wait_until(lambda: shop.root(f"cat {site.folder}/home/runs") == "run\n", 30, "the build")
    cancel_job(shop.owner, job=job)
    wait_until(lambda: status_of(job) == JobStatus.CANCELLED, 15, "the end")
    after = state(shop, site)
    assert (after[1], after[3:]) == (before[0], before[2:])
    assert shop.root(f"ps -u {site.username} -o args=").strip() == ""
    assert "Something unexpected" not in log_of(job)
