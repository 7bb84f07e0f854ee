"""Lets users in to databases, takes them out, and changes their passwords."""

from deploynix.errors import Conflict, Error
from jobs.kinds import Step, register
from jobs.models import Job
from jobs.run import Run
from servers import engines
from servers.kinds.databases import DatabaseKind, forget_idle, grants_of, settle
from servers.models import Grant, GrantStatus


@register
class ChangeDatabaseUser(DatabaseKind):
    """`user` is the id of the user, `change` is grant, password or revoke."""

    name = "change_database_user"
    ability = "database:update"
    steps = (
        Step("check", "See that it can be done"),
        Step("change", "Tell the database"),
        Step("verify", "See that it is so"),
    )

    def grant(self, run: Run) -> Grant:
        """Raises Conflict where something later has overtaken this."""
        grant = grants_of(run.job).select_related("database__server", "user__server").first()
        if grant is None:
            raise Conflict("The user may not use the database any more.", "There is nothing left to do.")
        is_leaving = run.job.params["change"] == "revoke"
        if is_leaving and grant.status not in (GrantStatus.REMOVING, GrantStatus.FAILED):
            raise Conflict("The user was let in again in the meantime.", "There is nothing left to do.")
        return grant

    def check(self, run: Run) -> None:
        grant = self.grant(run)
        if run.job.params["change"] != "revoke":
            engines.claim_login(run, grant)

    def change(self, run: Run) -> None:
        grant, change = self.grant(run), run.job.params["change"]
        if change == "grant":
            engines.let_in(run, grant)
        elif change == "revoke":
            engines.take_out(run, grant)
        elif grant.user.password:
            engines.change_password(run, grant)

    def verify(self, run: Run) -> None:
        grant = self.grant(run)
        if run.job.params["change"] != "revoke":
            engines.prove(run, grant)
        elif grant.user.is_claimed:
            engines.prove_absence(run, grant)

    def on_succeeded(self, job: Job) -> None:
        if job.params["change"] == "revoke":
            grants_of(job).delete()
            forget_idle([job.params["user"]])
        else:
            settle(grants_of(job))

    def on_failed(self, job: Job, error: Error) -> None:
        super().on_failed(job, error)
        self.on_cancelled(job)

    def on_cancelled(self, job: Job) -> None:
        grants_of(job).update(status=GrantStatus.FAILED)
