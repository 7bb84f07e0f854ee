"""Issuing a certificate, the first time and at each renewal: active means that the server was seen serving it."""

from datetime import timedelta

from django.db.models import F
from django.utils import timezone

from certificates import installing
from certificates.accounts import account_at
from certificates.acme.directories import staging_of
from certificates.actions.issuing import ISSUE
from certificates.actions.renewing import REHEARSE
from certificates.kinds.ordering import OrderKind, certificate_of
from certificates.models import Account, Certificate, Issuance, IssuanceStatus, Status
from certificates.renewal import after_failure, at_two_thirds, schedule_of
from deploynix.errors import Conflict, Error
from jobs.kinds import Step, register
from jobs.models import Job
from jobs.run import Run

# A renewal that somebody has cancelled is due again after that.
AFTER_CANCEL = timedelta(hours=1)


@register
class IssueCertificate(OrderKind):
    name = ISSUE
    ability = "certificate:create"
    steps = (
        *OrderKind.order_steps,
        Step("install", "Install the certificate"),
        Step("confirm", "See that the server serves it"),
    )

    def on_begun(self, run: Run, certificate: Certificate) -> None:
        with run.write():
            rows = Certificate.objects.filter(pk=certificate.pk, served_at=None)
            rows.update(status=Status.ISSUING, error="", hint="", updated_at=timezone.now())
        if "issuance" not in run.job.result and (left := never_served(certificate)):
            run.line(f"What was issued on {left.issued_at:%-d %b %Y, %H:%M UTC} was never served: that is taken.")
            run.result(issuance=left.pk)

    def finalise(self, run: Run) -> None:
        super().finalise(run)
        # Here, and not where it is issued: this is done, too, for what an attempt had issued that was killed then.
        issuance = issuance_of(run)
        if issuance.account:
            schedule = schedule_of(run, issuance, self.acme(run, issuance.account))
            with run.write():
                Certificate.objects.filter(pk=issuance.certificate_id).update(**schedule)

    def install(self, run: Run) -> None:
        installing.install(run, issuance_of(run))

    def confirm(self, run: Run) -> None:
        installing.read_back(run, certificate_of(run))

    def on_succeeded(self, job: Job) -> None:
        Certificate.objects.filter(pk=job.subject_id).update(failures=0, failed_at=None)

    def on_failed(self, job: Job, error: Error) -> None:
        super().on_failed(job, error)
        certificate = Certificate.objects.filter(pk=job.subject_id).first()
        if certificate is None:
            return
        rows = Certificate.objects.filter(pk=certificate.pk)
        now = timezone.now()
        rows.update(failures=F("failures") + 1, failed_at=now, error=error.message, hint=error.hint, updated_at=now)
        rows.filter(served_at=None).update(status=Status.FAILED)
        # Nobody waits for a first one that failed: whoever asked for it looks at why.
        rows.exclude(renew_at=None).update(renew_at=after_failure(certificate.failures + 1))

    def on_cancelled(self, job: Job) -> None:
        super().on_cancelled(job)
        rows = Certificate.objects.filter(pk=job.subject_id)
        rows.filter(served_at=None).update(status=Status.FAILED, error="It was cancelled.", hint="")
        later = timezone.now() + AFTER_CANCEL
        rows.filter(renew_at__lt=later).update(renew_at=later)


@register
class RehearseRenewal(OrderKind):
    """Orders the same at the staging directory of the CA, so that what would fail is known before it is due."""

    name = REHEARSE
    is_routine = True
    is_rehearsal = True
    steps = OrderKind.order_steps

    def account_of(self, certificate: Certificate) -> Account:
        own = super().account_of(certificate)
        staging = staging_of(own.directory_url)
        if staging is None:
            raise Conflict("The authority has no directory to rehearse at.", "There is nothing to do.")
        return account_at(certificate.organization, staging.url, email=own.email)

    def on_succeeded(self, job: Job) -> None:
        Certificate.objects.filter(pk=job.subject_id).update(rehearsed_at=timezone.now(), rehearsal_error="")

    def on_failed(self, job: Job, error: Error) -> None:
        super().on_failed(job, error)
        text = f"{error.message} {error.hint}".strip()
        Certificate.objects.filter(pk=job.subject_id).update(rehearsed_at=timezone.now(), rehearsal_error=text)


def never_served(certificate: Certificate) -> Issuance | None:
    """What an earlier job had issued, and then could not install: another one would be in vain."""
    rows = certificate.issuances.filter(status=IssuanceStatus.ISSUED, is_rehearsal=False, not_after__gt=timezone.now())
    if certificate.served_at:
        rows = rows.filter(issued_at__gt=certificate.served_at)
    newest = rows.order_by("-id").first()
    return newest if newest and at_two_thirds(newest) > timezone.now() else None


def issuance_of(run: Run) -> Issuance:
    """What this job has had issued."""
    rows = Issuance.objects.select_related("account")
    issuance = rows.filter(pk=run.job.result.get("issuance", "")).first()
    if issuance is None:
        raise Conflict("What was issued is no longer known.", "Renew the certificate.")
    return issuance
