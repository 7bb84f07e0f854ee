"""What the kinds of work on a server share."""

from django.utils import timezone

from deploynix.errors import Conflict, Error
from jobs.kinds import JobKind
from jobs.models import Job
from jobs.run import Run
from servers.models import Server, Status
from servers.ssh import HostKeyChanged


class ServerKind(JobKind):
    """Work whose subject is a server."""

    def server(self, run: Run) -> Server:
        """The server as it is now. Raises Conflict where it was removed."""
        server = Server.objects.filter(pk=run.job.subject_id).first()
        if server is None:
            raise Conflict("The server has been removed.", "There is nothing left to do.")
        return server

    def on_failed(self, job: Job, error: Error) -> None:
        note_refusal(job.subject_id, error)


def note_refusal(server_id: str, error: Error) -> None:
    """Keeps the fingerprint of a host key that was refused, so that the server's page can ask about it.

    Every kind of job that reaches the server calls it when the job fails.
    """
    if isinstance(error, HostKeyChanged):
        Server.objects.filter(pk=server_id).update(refused_fingerprint=error.presented_fingerprint)


def settle(job: Job, reason: str = "") -> None:
    """Gives a server whose work was broken off the status that it had before."""
    now = timezone.now()
    servers = Server.objects.filter(pk=job.subject_id)
    servers.filter(provisioned_at=None).update(status=Status.PENDING, status_reason=reason, updated_at=now)
    servers.exclude(provisioned_at=None).update(status=Status.ACTIVE, status_reason=reason, updated_at=now)
