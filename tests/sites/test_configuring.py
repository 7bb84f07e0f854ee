"""Taking the configuration to the server, while others do the same."""

from collections.abc import Sequence

import pytest

from deploynix.actor import Actor
from jobs.actions import enqueue_job
from jobs.models import Job
from jobs.models import Status as JobStatus
from jobs.run import Run
from servers.converge import Change, Outcome
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


def test_what_changed_while_it_was_applied_is_applied_too(
    run: Run, live: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another job may have been first to apply its change, which ours then took back."""
    applied: list[bytes] = []

    def converge(target: Target, items: Sequence[Managed]) -> Outcome:
        vhost = next(item for item in items if item.path == vhost_path(live))
        applied.append(vhost.content)  # type: ignore[attr-defined]
        if len(applied) == 1:
            Site.objects.filter(pk=live.pk).update(web_root="changed")
        return Outcome((Change(vhost.path, "update", None, secret=False),), (), confirmed=False)

    monkeypatch.setattr(remote, "converge", converge)
    differences: list[Change] = []
    monkeypatch.setattr(remote, "compare", lambda target, items: tuple(differences))
    remote.configure(run, live)
    assert applied == []
    # Something changes it there all the time: that is no reason to go on for ever.
    differences.append(Change(vhost_path(live), "update", None, secret=False))
    remote.configure(run, live)
    assert ["/current/changed;" in content.decode() for content in applied] == [False, True]
