"""Alarms: certificates that are not renewed as they should be, told of long before their end."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from certificates.models import Certificate, Status
from jobs.alarms import ALARM, ALL_WELL, begin_alarm, end_alarm, quoted
from jobs.warnings import TIME, enqueue_warning

WARN = "warn_of_certificates"
# One may be a provider's bad minute, and is tried again within about an hour.
MOST_FAILURES = 1
# So much of its life is left where something is wrong, whatever it is: it is renewed with a third left.
LAST_PART = 1 / 6


def raise_alarms() -> int:
    """Looks at every certificate that is renewed by itself, and tells of those that have come into trouble or out of
    it; how many are in it."""
    moment, count = timezone.now(), 0
    rows = Certificate.objects.exclude(Q(account=None) | Q(current=None) | Q(status=Status.REVOKED))
    rows = rows.select_related("organization", "site", "server", "current").defer("current__private_key")
    for certificate in rows.order_by("pk"):
        reasons = list(reasons_of(certificate, moment))
        count += bool(reasons)
        if reasons:
            _raise(certificate, reasons, moment)
        elif certificate.alarmed_at:
            _clear(certificate)
    return count


def reasons_of(certificate: Certificate, moment: datetime) -> Iterator[str]:
    """What is wrong with it, in whole sentences that stay the same until it changes."""
    current = certificate.current
    if certificate.failures > MOST_FAILURES:
        yield f"It could not be renewed: {quoted(f'{certificate.error} {certificate.hint}')}"
    if certificate.rehearsal_error:
        yield f"The rehearsal of its renewal failed: {quoted(certificate.rehearsal_error)}"
    if current and current.not_before and current.not_after:
        life = current.not_after - current.not_before
        if moment > current.not_after:
            yield f"It ended on {current.not_after:{TIME}}: browsers refuse the site by HTTPS."
        elif moment > current.not_after - life * LAST_PART:
            yield f"It ends on {current.not_after:{TIME}}, and should have been renewed long before."


@transaction.atomic
def _raise(certificate: Certificate, reasons: Sequence[str], moment: datetime) -> None:
    if not begin_alarm(Certificate.objects.all(), certificate, reasons, moment):
        return
    _tell(
        certificate,
        kind=ALARM,
        title=f"The certificate of {certificate.site} needs you",
        lines=[reason.rstrip(".") for reason in reasons],
        advice="Its page shows what was tried, and lets you try again. There is no other mail until all is well.",
    )


@transaction.atomic
def _clear(certificate: Certificate) -> None:
    if not end_alarm(Certificate.objects.all(), certificate):
        return
    current = certificate.current
    _tell(
        certificate,
        kind=ALL_WELL,
        title=f"The certificate of {certificate.site}: all is well again",
        lines=[f"It holds until {current.not_after:{TIME}}"] if current and current.not_after else [],
        advice="There is nothing to do.",
    )


def _tell(certificate: Certificate, *, kind: str, title: str, lines: Sequence[str], advice: str) -> None:
    enqueue_warning(
        certificate,
        job=WARN,
        label="Mail an alarm about a certificate" if kind == ALARM else "Mail that a certificate is well again",
        kind=kind,
        title=title,
        lines=lines,
        about=f"the certificate for {certificate} on {certificate.server}",
        advice=advice,
        page=certificate.get_absolute_url(),
    )
