"""Mails what alarms have to say."""

from backups.alarms import WARN
from backups.models import Schedule
from jobs.alarms import AlarmKind
from jobs.kinds import register


@register
class WarnOfBackups(AlarmKind):
    name = WARN
    model = Schedule
