"""Schedules of backups."""

from django.http import HttpRequest

from backups import actions
from backups.api.base import BackupView
from backups.api.serializers import BackupScheduleChanges, BackupScheduleInput, ScheduleOutput
from backups.models import Schedule
from deploynix.api.operations import operation
from deploynix.api.views import Response


class ScheduleView(BackupView):
    def answer(self, schedule: Schedule, status: int = 200) -> Response:
        return self.one(self.schedules.filter(pk=schedule.pk), ScheduleOutput, status)


class Schedules(ScheduleView):
    abilities = {"GET": "backup:read", "POST": "backup:create"}

    @operation("List backup schedules", page=ScheduleOutput)
    def get(self, request: HttpRequest) -> Response:
        return self.page(self.schedules, ScheduleOutput)

    @operation("Add a backup schedule", input=BackupScheduleInput, one=ScheduleOutput, status=201)
    def post(self, request: HttpRequest) -> Response:
        """Of a database or a site. A backup that was missed, because nothing ran here at its time, is made up for
        once."""
        return self.answer(actions.create_schedule(self.actor, **self.chosen(self.input(BackupScheduleInput))), 201)


class ScheduleDetail(ScheduleView):
    abilities = {"GET": "backup:read", "PUT": "backup:update", "DELETE": "backup:update"}

    @operation("Show a backup schedule", one=ScheduleOutput)
    def get(self, request: HttpRequest, schedule: str) -> Response:
        return self.one(self.schedules.filter(pk=schedule), ScheduleOutput)

    @operation("Update a backup schedule", input=BackupScheduleChanges, one=ScheduleOutput)
    def put(self, request: HttpRequest, schedule: str) -> Response:
        """Changes the fields that are sent."""
        row = self.find(self.schedules, schedule)
        changes = self.chosen(self.input(BackupScheduleChanges))
        return self.answer(actions.update_schedule(self.actor, schedule=row, **changes))

    @operation("Delete a backup schedule", status=204)
    def delete(self, request: HttpRequest, schedule: str) -> Response:
        """Its backups stay, and are not removed by age any more."""
        actions.delete_schedule(self.actor, schedule=self.find(self.schedules, schedule))
        return self.done()
