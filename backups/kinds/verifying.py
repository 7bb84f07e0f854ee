"""Reading a backup back because somebody asks for it."""

from backups.actions.backups import VERIFY
from backups.kinds.making import backup_of
from backups.verification import verify
from deploynix.errors import Conflict
from jobs.kinds import JobKind, Step, register
from jobs.run import Run


@register
class VerifyBackup(JobKind):
    name = VERIFY
    ability = "backup:restore"
    queue = "bulk"
    steps = (Step("verify", "Read it back and check it"),)

    def verify(self, run: Run) -> None:
        backup = backup_of(run)
        if not backup.is_stored:
            raise Conflict("The backup has been removed meanwhile.", "There is nothing left to read.")
        verify(run, backup)
