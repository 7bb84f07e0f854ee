"""Connecting repositories, and disconnecting them."""

from django.db import transaction

from audit.log import Changes, changed, record
from deploynix.actor import Actor
from deploynix.errors import Conflict, Invalid
from jobs.actions import enqueue_job
from jobs.models import Job
from jobs.models import Status as JobStatus
from providers.base import Kind
from providers.models import Credential
from repositories.models import NOTHING_KNOWN, GitRepository, Status

READ = "read_repository"


@transaction.atomic
def connect_repository(actor: Actor, *, credential: Credential, full_name: str) -> GitRepository:
    """Queues the job that reads it. Raises Denied, Invalid and ValidationError."""
    actor.require_unlimited("provider:create")
    repository = GitRepository(
        organization=actor.organization, credential=_locked_credential(actor, credential), full_name=full_name.strip()
    )
    repository.full_clean(validate_unique=False, validate_constraints=False)
    _require_new(repository, "full_name")
    repository.save()
    record(actor, "repository.connected", repository, changed({}, {"credential": credential.pk}))
    _enqueue_read(actor, repository)
    return repository


@transaction.atomic
def update_repository(
    actor: Actor, *, repository: GitRepository, credential: Credential | None = None
) -> GitRepository:
    """Has it read again, with another credential where one is given. Raises Denied, Invalid and Conflict."""
    actor.require_unlimited("provider:update")
    repository = _locked(repository)
    changes: Changes = {}
    if credential and credential.pk != repository.credential_id:
        changes = changed({"credential": repository.credential_id}, {"credential": credential.pk})
        repository.credential = _locked_credential(actor, credential)
        _require_new(repository, "credential_id")
        for name, value in NOTHING_KNOWN.items():
            setattr(repository, name, value)
        repository.read_at = None
    repository.status, repository.status_reason = Status.UNREAD, ""
    repository.save()
    record(actor, "repository.updated", repository, changes)
    _enqueue_read(actor, repository)
    return repository


@transaction.atomic
def disconnect_repository(actor: Actor, *, repository: GitRepository) -> None:
    """Forgets the repository; at the provider it stays, and so do its deploy keys. Raises Denied and Conflict."""
    actor.require_unlimited("provider:delete")
    repository = _locked(repository)
    record(actor, "repository.disconnected", repository)
    repository.delete()


def open_read(repository: GitRepository) -> Job | None:
    """The job that reads it, where one waits or runs."""
    return Job.objects.open().about(repository).filter(kind=READ).order_by("-id").first()


def _enqueue_read(actor: Actor, repository: GitRepository) -> Job:
    # One that has begun may ask with the credential of before.
    waiting = Job.objects.about(repository).filter(kind=READ, status=JobStatus.QUEUED).first()
    return waiting or enqueue_job(
        actor, kind=READ, subject=repository, label=f"Read {repository}", lane=repository.lane
    )


def _locked(repository: GitRepository) -> GitRepository:
    row = GitRepository.objects.select_for_update().filter(pk=repository.pk).first()
    if row is None:
        raise Conflict("The repository has been disconnected.")
    return row


def _locked_credential(actor: Actor, credential: Credential) -> Credential:
    """While it is locked it is not removed, and no other request connects the same repository with it."""
    rows = Credential.objects.visible_to(actor).select_for_update()
    row = rows.filter(kind=Kind.GIT, pk=credential.pk).first()
    if row is None:
        raise Invalid({"credential_id": ["The selected credential id is invalid."]})
    return row


def _require_new(repository: GitRepository, field: str) -> None:
    others = GitRepository.objects.filter(credential=repository.credential).named(repository.full_name)
    if others.exclude(pk=repository.pk).exists():
        raise Invalid({field: [f"{repository} is connected with {repository.credential} already."]})
