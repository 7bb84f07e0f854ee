"""Mails what the alarms of connections have to say."""

from domains.models import Connection
from domains.states import WARN, is_current, recipients
from jobs.kinds import register
from jobs.models import Job
from jobs.warnings import WarningKind


@register
class WarnOfConnection(WarningKind):
    name = WARN

    def recipients(self, job: Job) -> list[str]:
        rows = Connection.objects.select_related("organization", "application").filter(pk=job.subject_id)
        connection = rows.first()
        return recipients(connection) if connection and is_current(connection, job.params["kind"]) else []
