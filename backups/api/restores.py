"""Restores, and drills."""

from django.http import HttpRequest

from backups import actions
from backups.api.base import BackupView
from backups.api.serializers import (
    DrillInput,
    DrillOutput,
    DrillQuery,
    RestoreOutput,
    RestoreQuery,
)
from backups.models import Backup, Restore, RestoreKind, Schedule
from deploynix.api.operations import operation
from deploynix.api.views import Response
from deploynix.errors import Invalid

TRYING = "The drill is queued."


class Restores(BackupView):
    abilities = {"GET": "backup:read"}

    @operation("List restores", query=RestoreQuery, page=RestoreOutput)
    def get(self, request: HttpRequest) -> Response:
        return self.page(self.restores(RestoreKind.RESTORE).filter(**self.query(RestoreQuery)), RestoreOutput)


class RestoreDetail(BackupView):
    abilities = {"GET": "backup:read"}

    @operation("Show a restore", one=RestoreOutput)
    def get(self, request: HttpRequest, restore: str) -> Response:
        return self.one(self.restores(RestoreKind.RESTORE).filter(pk=restore), RestoreOutput)


class Drills(BackupView):
    abilities = {"GET": "backup:read", "POST": "backup:restore"}

    @operation("List drills", query=DrillQuery, page=DrillOutput)
    def get(self, request: HttpRequest) -> Response:
        return self.page(self.restores(RestoreKind.DRILL).filter(**self.query(DrillQuery)), DrillOutput)

    @operation("Try a backup", input=DrillInput, one=DrillOutput, status=202, job=True, message=TRYING)
    def post(self, request: HttpRequest) -> Response:
        """Restores a backup of a database into a scratch database on its own server, has the database's own check and
        the query look at that, and drops it. Give `backup_id` or `schedule_id`."""
        restore = self._drill(**self.chosen(self.input(DrillInput)))
        assert restore.job is not None  # noqa: S101 -- the action has just queued it
        rows = self.restores(RestoreKind.DRILL).filter(pk=restore.pk)
        return self.accepted(TRYING, job=restore.job, data=self.row(rows, DrillOutput))

    def _drill(
        self, backup: Backup | None = None, schedule: Schedule | None = None, query: str | None = None
    ) -> Restore:
        if backup and schedule:
            raise Invalid({"schedule_id": ["Give a backup or a schedule, not both."]})
        if backup:
            return actions.drill_backup(self.actor, backup=backup, query=query or "")
        if schedule:
            return actions.drill_schedule(self.actor, schedule=schedule, query=query)
        raise Invalid({"backup_id": ["The backup id field is required."]})


class DrillDetail(BackupView):
    abilities = {"GET": "backup:read"}

    @operation("Show a drill", one=DrillOutput)
    def get(self, request: HttpRequest, drill: str) -> Response:
        return self.one(self.restores(RestoreKind.DRILL).filter(pk=drill), DrillOutput)
