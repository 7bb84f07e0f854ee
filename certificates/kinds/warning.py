"""Mails about certificates: uploaded ones that end, and others that are not renewed as they should be."""

from collections.abc import Sequence

from certificates import alarms
from certificates.expiry import WARN, is_current, recipients
from certificates.models import Certificate
from jobs.kinds import register
from jobs.models import Job
from jobs.warnings import WarningKind


@register
class WarnOfCertificateExpiry(WarningKind):
    name = WARN

    def recipients(self, job: Job) -> Sequence[str]:
        certificate = Certificate.objects.select_related("organization").filter(pk=job.subject_id).first()
        return recipients(certificate) if certificate and is_current(certificate, job.params["kind"]) else []


@register
class WarnOfCertificates(WarningKind):
    name = alarms.WARN

    def recipients(self, job: Job) -> Sequence[str]:
        certificate = Certificate.objects.select_related("organization").filter(pk=job.subject_id).first()
        is_due = certificate and alarms.is_current(certificate, job.params["kind"])
        return alarms.recipients(certificate) if certificate and is_due else []
