"""The job that asks a provider about a repository."""

from dataclasses import asdict
from typing import Any, cast

from django.utils import timezone

from deploynix.errors import Conflict, Error
from deploynix.redact import Redactor, secrets_of
from jobs.kinds import JobKind, Step, register
from jobs.models import Job
from jobs.run import Run
from providers.contracts.git import GitProvider, Repository
from providers.kinds import said
from repositories.actions import READ
from repositories.models import GitRepository, Status


@register
class ReadRepository(JobKind):
    name = READ
    ability = "provider:update"
    queue = "provider"
    is_routine = True
    steps = (Step("read", "Ask the provider"),)

    def read(self, run: Run) -> None:
        repository = GitRepository.objects.select_related("credential").filter(pk=run.job.subject_id).first()
        if repository is None:
            raise Conflict("The repository has been disconnected.")
        provider = cast(GitProvider, repository.credential.adapter)
        found = provider.repository(repository.full_name)
        require_name(repository, found)
        with run.write():
            # Meanwhile it may have got another credential, and a job that asks with that one.
            rows = GitRepository.objects.filter(pk=repository.pk, credential=repository.credential_id)
            rows.update(**facts_of(found), status=Status.CONNECTED, status_reason="", read_at=timezone.now())
        run.line(f"{provider.label} has {found.full_name}; its branch is {found.default_branch or 'still to be made'}.")

    def on_failed(self, job: Job, error: Error) -> None:
        reason = Redactor(secrets_of(job.organization_id)).redact(said(error))
        GitRepository.objects.filter(pk=job.subject_id).update(
            status=Status.FAILED, status_reason=reason, read_at=timezone.now()
        )

    def on_cancelled(self, job: Job) -> None:
        unread = GitRepository.objects.filter(pk=job.subject_id, status=Status.UNREAD)
        unread.update(status=Status.FAILED, status_reason="Reading it was cancelled. Have it read again.")


def require_name(repository: GitRepository, found: Repository) -> None:
    """Raises Conflict where the provider knows what was asked for by another name."""
    if found.full_name.lower() != repository.full_name.lower():
        raise Conflict(f"{repository} is called {found.full_name} now.", "Connect that one in its place.")


def facts_of(found: Repository) -> dict[str, Any]:
    facts = asdict(found)
    return {"provider_id": facts.pop("id"), **facts}
