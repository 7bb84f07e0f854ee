"""Mails about certificates: uploaded ones that end, and others that are not renewed as they should be."""

from collections.abc import Sequence

from certificates import alarms
from certificates.expiry import WARN, is_current
from certificates.models import Certificate
from jobs.alarms import AlarmKind
from jobs.kinds import register
from jobs.models import Job
from jobs.warnings import WarningKind
from organizations.models import admin_addresses_of


@register
class WarnOfCertificateExpiry(WarningKind):
    name = WARN

    def recipients(self, job: Job) -> Sequence[str]:
        certificate = Certificate.objects.select_related("organization").filter(pk=job.subject_id).first()
        if certificate is None or not is_current(certificate, job.params["kind"]):
            return []
        return admin_addresses_of(certificate.organization)


@register
class WarnOfCertificates(AlarmKind):
    name = alarms.WARN
    model = Certificate
