"""Jobs about tokens."""

from jobs.kinds import register
from jobs.models import Job
from jobs.warnings import WarningKind
from tokens.alerts import recipients
from tokens.models import Token


@register
class WarnOfToken(WarningKind):
    name = "warn_of_token"

    def recipients(self, job: Job) -> list[str]:
        token = Token.objects.select_related("organization").get(pk=job.subject_id)
        return recipients(token, job.params["kind"])
