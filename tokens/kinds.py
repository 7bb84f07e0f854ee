"""Jobs about tokens."""

from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail

from deploynix.errors import Error
from jobs.kinds import JobKind, Step, register
from jobs.run import Run
from tokens.alerts import recipients
from tokens.models import Token


@register
class WarnOfToken(JobKind):
    name = "warn_of_token"
    queue = "interactive"
    is_routine = True
    steps = (Step("mail", "Mail"),)
    # Over about four hours.
    max_retries = 8

    def mail(self, run: Run) -> None:
        token = Token.objects.select_related("organization").get(pk=run.job.subject_id)
        params = run.job.params
        addresses = recipients(token, params["kind"])
        if not addresses:
            run.line("Nobody is left who could be told.")
            return
        try:
            send_mail(settings.ACCOUNT_EMAIL_SUBJECT_PREFIX + params["title"], params["text"], None, addresses)
        except (OSError, SMTPException) as error:
            raise Error("The mail could not be sent.", "Check EMAIL_URL.", retryable=True) from error
