"""Whoever retries a job does again what it does, and so may no less than who has asked for it."""

from dataclasses import replace

import pytest
from django.test import Client

from deploynix.abilities import ABILITIES
from deploynix.actor import Actor
from deploynix.errors import Denied
from jobs.actions import enqueue_job, retry_job
from jobs.kinds import JobKind, all_kinds
from jobs.models import Job, Status
from organizations.models import Role
from tests import factories
from tests.apiclient import ApiClient
from tokens.actions.personal import create_token

pytestmark = pytest.mark.django_db
RETRY_ALONE = frozenset({"job:read", "job:update"})


@pytest.fixture
def removal(owner: Actor) -> Job:
    """What only some may ask for."""
    server = factories.server(owner.organization)
    job = enqueue_job(owner, kind="delete_server", subject=server, label="Remove web-1")
    Job.objects.filter(pk=job.pk).update(status=Status.FAILED)
    job.refresh_from_db()
    return job


def is_queued(job: Job) -> bool:
    job.refresh_from_db()
    return job.status == Status.QUEUED


def test_every_kind_that_changes_something_says_what_it_takes() -> None:
    kinds = [kind for kind in all_kinds() if not kind.__module__.startswith("tests.")]
    assert {kind.ability for kind in kinds} <= set(ABILITIES)
    changing = [kind for kind in kinds if not kind.is_routine]
    assert [kind.name for kind in changing if kind.ability == JobKind.ability] == []


def test_retrying_takes_what_asking_for_it_takes(owner: Actor, removal: Job) -> None:
    with pytest.raises(Denied, match="server:delete"):
        retry_job(replace(owner, abilities=RETRY_ALONE), job=removal)
    with pytest.raises(Denied, match="job:update"):
        retry_job(replace(owner, abilities=frozenset({"server:delete"})), job=removal)
    assert not is_queued(removal)
    retry_job(replace(owner, abilities=RETRY_ALONE | {"server:delete"}), job=removal)
    assert is_queued(removal)


def test_a_token_without_it_is_told_what_is_missing(owner: Actor, removal: Job) -> None:
    api = ApiClient(create_token(owner, name="retries", abilities=sorted(RETRY_ALONE))[1])
    response = api.post(f"/jobs/{removal.pk}/retry")
    assert (response.status_code, "server:delete" in response.json()["message"]) == (403, True)
    assert not is_queued(removal)


def test_a_developer_s_page_says_why_not(owner: Actor, owner_client: Client, removal: Job) -> None:
    page = f"/jobs/{removal.pk}"
    assert 'id="job-retry"' in owner_client.get(page).content.decode()
    developer = factories.signed_in(factories.actor(owner.organization, Role.DEVELOPER, "dev@acme.test"))
    text = developer.get(page).content.decode()
    assert 'id="job-retry"' not in text
    assert "Needs the ability server:delete" in text
    assert developer.post(f"{page}/retry").status_code == 403
    assert not is_queued(removal)
