import pytest

from deploynix.actor import Actor
from jobs.models import Job
from jobs.runner import run_job
from providers.models import Credential
from repositories import actions
from repositories.models import GitRepository
from tests.providers.asking import TOKEN, connect
from tests.providers.conftest import _fakes

__all__ = ["_fakes"]


def forge(actor: Actor, token: str = TOKEN, name: str = "Forge") -> Credential:
    return connect(actor, kind="git", provider="forge", name=name, values={"token": token})


def read_now(repository: GitRepository) -> Job:
    """Runs the job that reads it."""
    job = actions.open_read(repository)
    assert job is not None
    run_job(job.pk)
    repository.refresh_from_db()
    return Job.objects.get(pk=job.pk)


def connected(actor: Actor, credential: Credential, full_name: str = "acme/shop-2") -> GitRepository:
    repository = actions.connect_repository(actor, credential=credential, full_name=full_name)
    read_now(repository)
    return repository


@pytest.fixture
def credential(owner: Actor) -> Credential:
    return forge(owner)


@pytest.fixture
def shop(owner: Actor, credential: Credential) -> GitRepository:
    return connected(owner, credential)
