"""Mails what the alarms of connections have to say."""

from domains.models import Connection
from domains.states import WARN
from jobs.alarms import AlarmKind
from jobs.kinds import register


@register
class WarnOfConnection(AlarmKind):
    name = WARN
    model = Connection
