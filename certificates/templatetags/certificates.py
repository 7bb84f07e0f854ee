"""What pages show of certificates in a few words."""

from django import template
from django.utils import timezone

from certificates.calendar import SOON
from certificates.models import Certificate, Issuance, Status

register = template.Library()

# Where a status is called by a name that the colours do not know.
COLOURS = {Status.ISSUING: "running"}


@register.inclusion_tag("components/status.html")
def certificate_status(certificate: Certificate) -> dict[str, str]:
    """How it is, also where it has ended, or soon will and nothing renews it."""
    status, label = condition_of(certificate)
    return {"status": status, "label": label}


def condition_of(certificate: Certificate) -> tuple[str, str]:
    """The status that gives the colour, and what is said."""
    now, current = timezone.now(), certificate.current
    if certificate.status == Status.ACTIVE and current and current.not_after:
        if current.not_after <= now:
            return "failed", "Expired"
        if certificate.failures:
            return "warning", "Renewal fails"
        if certificate.renew_at is None and current.not_after <= now + SOON:
            return "warning", "Expires soon"
    status = Status(certificate.status)
    return COLOURS.get(status, status.value), status.label


@register.filter
def life_passed(issuance: Issuance) -> int:
    """How much of its life is over, in percent."""
    if issuance.not_before is None or issuance.not_after is None:
        return 0
    passed = (timezone.now() - issuance.not_before) / (issuance.not_after - issuance.not_before)
    return round(100 * min(1.0, max(0.0, passed)))
