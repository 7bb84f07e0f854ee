"""Forgets a server, after it was asked to forget us."""

from django.db.models import ProtectedError

from deploynix.errors import Conflict, Error
from jobs.kinds import Step, register
from jobs.models import Job
from jobs.run import Run
from servers import ssh
from servers.kinds.base import ServerKind, settle
from servers.target import target_of


@register
class DeleteServer(ServerKind):
    name = "delete_server"
    ability = "server:delete"
    steps = (Step("leave", "Take the key of Deploynix off the server"), Step("forget", "Remove the server from here"))

    def leave(self, run: Run) -> None:
        """A machine that is gone already must not stand in the way of its removal."""
        server = self.server(run)
        if server.provisioned_at is None:
            run.line("The server was never provisioned: there is nothing to take off.")
            return
        values = {"PUBLIC_KEY": server.public_key}
        try:
            ssh.run_script(target_of(server), "leave.sh", values=values, timeout=30)
            run.line("The key is removed: Deploynix cannot sign in there any more. Everything else stays as it is.")
        except Error as error:
            run.line(f"The key stays on the server: {error.message}")
            run.line(f"Remove this line from /home/{server.ssh_user}/.ssh/authorized_keys: {server.public_key}")

    def forget(self, run: Run) -> None:
        try:
            with run.write():
                self.server(run).delete()
        except ProtectedError:
            raise Conflict("A site was added to the server in the meantime.", "Delete its sites first.") from None

    def on_failed(self, job: Job, error: Error) -> None:
        settle(job, error.message)

    def on_cancelled(self, job: Job) -> None:
        settle(job)
