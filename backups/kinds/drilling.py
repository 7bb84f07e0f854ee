"""Drills: a backup is restored into a scratch database, looked at, and thrown away."""

from backups.actions.restores import DRILL
from backups.exchange import TransferFailed
from backups.kinds.restoring import RestoreKind, begin, do
from backups.models import Restore
from jobs.kinds import Step, register
from jobs.run import Run


@register
class DrillBackup(RestoreKind):
    name = DRILL
    is_routine = True
    steps = (
        Step("check", "See whether it can be restored there"),
        Step("load", "Fetch it and load it into a scratch database"),
        Step("examine", "Look at it, and throw it away"),
    )

    def examine(self, run: Run) -> None:
        restore = begin(run, "examine")
        findings = do(run, restore, "examine", query=restore.query).get("findings")
        if findings is None:
            run.line("What was loaded has been removed meanwhile. It is loaded again.")
            self.load(run)
            findings = do(run, restore, "examine", query=restore.query).get("findings", [])
        with run.write():
            Restore.objects.filter(pk=restore.pk).update(findings=findings)
        for one in findings:
            run.line(f"{one['check']}: {one['detail']}")
        faults = [f"{one['check']}: {one['detail']}" for one in findings if not one["passed"]]
        if faults or not findings:
            message = "; ".join(faults)[:1000] or "Nothing could be looked at."
            raise TransferFailed("examine", message, "The backup was loaded, but is not what it should be.")
