"""Revoking certificates, and deleting them."""

from django.utils import timezone

from certificates import installing, proofs
from certificates.accounts import open_account
from certificates.actions.ending import DELETE, REVOKE
from certificates.chains import leaf_of
from certificates.kinds.ordering import certificate_of
from certificates.models import Certificate, Issuance, IssuanceStatus, Reason, Status
from deploynix.errors import Conflict, Error
from jobs.kinds import JobKind, Step, register
from jobs.models import Job
from jobs.run import Run
from servers.kinds.base import note_refusal


class EndKind(JobKind):
    ability = "certificate:delete"

    def take_off(self, run: Run) -> None:
        certificate = certificate_of(run)
        if certificate.site.installed_at:
            installing.uninstall(run, certificate)

    def on_failed(self, job: Job, error: Error) -> None:
        if certificate := Certificate.objects.filter(pk=job.subject_id).first():
            note_refusal(certificate.server_id, error)
            Certificate.objects.filter(pk=certificate.pk).update(error=error.message, hint=error.hint)


@register
class RevokeCertificate(EndKind):
    """`reason` is in the params, and `issuance`, the id of what is revoked."""

    name = REVOKE
    steps = (Step("revoke", "Revoke it at the authority"), Step("take_off", "Take it off the server"))

    def revoke(self, run: Run) -> None:
        certificate = certificate_of(run)
        issuance = Issuance.objects.select_related("account").filter(pk=run.job.params["issuance"]).first()
        if issuance is None or issuance.account is None:
            raise Conflict("What was to be revoked is no longer known.", "There is nothing left to do.")
        acme = open_account(run, issuance.account)
        acme.revoke(leaf_of(issuance.chain), Reason(run.job.params["reason"]).code)
        run.line(f"{acme.host} has revoked the certificate with the serial number {issuance.serial}.")
        now = timezone.now()
        with run.write():
            Issuance.objects.filter(pk=issuance.pk).update(status=IssuanceStatus.REVOKED)
            Certificate.objects.filter(pk=certificate.pk).update(
                status=Status.REVOKED, revoked_at=now, updated_at=now, renew_at=None, ask_at=None, rehearse_at=None
            )


@register
class DeleteCertificate(EndKind):
    name = DELETE
    steps = (Step("clean", "Remove the proofs"), Step("take_off", "Take it off the server"))

    def clean(self, run: Run) -> None:
        proofs.take_down(run, proofs.standing(certificate_of(run)))

    def on_succeeded(self, job: Job) -> None:
        Certificate.objects.filter(pk=job.subject_id).delete()
