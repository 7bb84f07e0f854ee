"""Taking the configuration to the server, while others do the same."""

from collections.abc import Sequence

import pytest

from deploynix.actor import Actor
from jobs.actions import enqueue_job
from jobs.models import Job
from jobs.models import Status as JobStatus
from jobs.run import Run
from servers import settling
from servers.converge import Change, Outcome
from servers.kinds import configuration
from servers.managed import Managed
from servers.ssh import Target
from sites import remote
from sites.configuration import vhost_path
from sites.models import Site

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(owner: Actor, live: Site) -> Run:
    job = enqueue_job(owner, kind="configure_site", subject=live, label="Configure")
    Job.objects.filter(pk=job.pk).update(status=JobStatus.RUNNING)
    return Run(Job.objects.get(pk=job.pk))


@pytest.fixture
def applied(live: Site, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The vhosts of the site that were taken there. While the first one is, another job changes what it should be."""
    found: list[str] = []

    def converge(target: Target, items: Sequence[Managed]) -> Outcome:
        vhost = next(item for item in items if item.path == vhost_path(live))
        found.append(vhost.content.decode())  # type: ignore[attr-defined]
        Site.objects.filter(pk=live.pk).update(web_root="changed")
        return Outcome((Change(vhost.path, "update", None, secret=False),), (), confirmed=False)

    monkeypatch.setattr(settling, "converge", converge)
    return found


def are_changed(applied: list[str]) -> list[bool]:
    return ["/current/changed;" in vhost for vhost in applied]


def test_what_changed_while_it_was_applied_is_applied_too(
    run: Run, live: Site, applied: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another job may have been first to apply its change, which ours then took back."""
    differences: list[Change] = []
    monkeypatch.setattr(remote, "compare", lambda target, items: tuple(differences))
    remote.configure(run, live)
    assert applied == []
    # Something changes it there all the time: that is no reason to go on for ever.
    differences.append(Change(vhost_path(live), "update", None, secret=False))
    remote.configure(run, live)
    assert are_changed(applied) == [False, True]


def test_applying_all_of_a_server_does_the_same(run: Run, live: Site, applied: list[str]) -> None:
    changes = configuration.apply(run, live.server)
    assert are_changed(applied) == [False, True]
    assert len(changes) == len(applied)
