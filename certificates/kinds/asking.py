"""Asking a CA when it wants a certificate to be renewed: RFC 9773."""

from certificates.accounts import open_account
from certificates.actions.renewing import ASK
from certificates.kinds.ordering import certificate_of
from certificates.models import Certificate
from certificates.renewal import schedule_of
from jobs.kinds import JobKind, Step, register
from jobs.run import Run


@register
class AskForRenewal(JobKind):
    name = ASK
    queue = "provider"
    is_routine = True
    steps = (Step("ask", "Ask the authority"),)

    def ask(self, run: Run) -> None:
        certificate = certificate_of(run)
        account, current = certificate.account, certificate.current
        if account is None or current is None:
            return
        schedule = schedule_of(run, current, open_account(run, account))
        with run.write():
            rows = Certificate.objects.filter(pk=certificate.pk, current=current)
            rows.update(ask_at=schedule["ask_at"])
            # One that was tried, and failed, has a turn of its own.
            rows.filter(failures=0).update(renew_at=schedule["renew_at"])
