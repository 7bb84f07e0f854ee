"""Taking an uploaded certificate to its server."""

from django.db.models import Q
from django.utils import timezone

from certificates.actions.uploading import INSTALL
from certificates.installing import install, read_back
from certificates.models import Certificate, Issuance, Status
from deploynix.errors import Conflict, Error
from jobs.kinds import JobKind, Step, register
from jobs.models import Job
from jobs.run import Run
from servers.kinds.base import note_refusal
from sites.tls import covers


@register
class InstallCertificate(JobKind):
    """`issuance`, the id of what is to be installed, is in the params."""

    name = INSTALL
    ability = "certificate:create"
    steps = (
        Step("install", "Install the certificate"),
        Step("confirm", "See that the server serves it"),
    )

    def install(self, run: Run) -> None:
        issuance = self._issuance(run)
        site = issuance.certificate.site
        for name in (site.domain, *site.aliases):
            if not covers(issuance.names, name):
                run.line(f"{name} is not in it, and stays without HTTPS unless another certificate holds it.")
        install(run, issuance)

    def confirm(self, run: Run) -> None:
        read_back(run, self._issuance(run).certificate)

    def on_succeeded(self, job: Job) -> None:
        # Whoever was warned of the end of the one before has done what was to be done.
        Certificate.objects.filter(pk=job.subject_id).update(alarm="", alarmed_at=None, failed_at=None)

    def on_failed(self, job: Job, error: Error) -> None:
        if certificate := Certificate.objects.filter(pk=job.subject_id).first():
            note_refusal(certificate.server_id, error)
        self._end(job, error.message, error.hint)

    def on_cancelled(self, job: Job) -> None:
        self._end(job, "Installing it was cancelled.", "")

    def _issuance(self, run: Run) -> Issuance:
        rows = Issuance.objects.select_related("certificate__site__server").filter(pk=run.job.params["issuance"])
        issuance = rows.first()
        if issuance is None:
            raise Conflict("The certificate has been deleted.", "There is nothing left to do.")
        return issuance

    def _end(self, job: Job, error: str, hint: str) -> None:
        """What was replaced in vain is served as before."""
        rows = Certificate.objects.filter(pk=job.subject_id).exclude(status=Status.REVOKED)
        rows.update(error=error, hint=hint, failed_at=timezone.now(), updated_at=timezone.now())
        rows.filter(Q(current=None) | Q(current=job.params["issuance"])).update(status=Status.FAILED)
        Issuance.objects.filter(pk=job.params["issuance"]).update(error=error, failed_at=timezone.now())
