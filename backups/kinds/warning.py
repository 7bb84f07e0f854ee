"""Mails what alarms have to say."""

from backups.alarms import WARN, is_current, recipients
from backups.models import Schedule
from jobs.kinds import register
from jobs.models import Job
from jobs.warnings import WarningKind


@register
class WarnOfBackups(WarningKind):
    name = WARN

    def recipients(self, job: Job) -> list[str]:
        schedule = Schedule.objects.select_related("organization").filter(pk=job.subject_id).first()
        return recipients(schedule) if schedule and is_current(schedule, job.params["kind"]) else []
