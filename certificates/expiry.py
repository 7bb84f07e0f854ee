"""Warnings about uploaded certificates, by mail: nothing renews them, so somebody has to be told in time."""

from datetime import timedelta

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from certificates.models import Certificate, Source, Status
from jobs.warnings import MOST_A_RUN, TIME, enqueue_warning, expiry_kind, expiry_title

WARN = "warn_of_certificate_expiry"
# 0 is the end itself. Who has to buy a new one needs longer than who makes a new secret.
DAYS_BEFORE_EXPIRY = (0, 1, 7, 30)
TITLES = {expiry_kind(days): expiry_title(days) for days in DAYS_BEFORE_EXPIRY}
ADVICE = (
    "Upload a new one for the same names on the site's page, with its key: it takes the place of this one. "
    "Or have one issued there, which is renewed without anybody."
)


def warn_of_expiry() -> None:
    """Of those that soon hold no more, once for each of the days before, and of those that have just ended."""
    for days in DAYS_BEFORE_EXPIRY:
        for certificate in _expiring(days).select_related("organization", "site", "current")[:MOST_A_RUN]:
            _warn(certificate, days)


def is_current(certificate: Certificate, kind: str) -> bool:
    """Whether what is to be warned of is still so: it may have been replaced."""
    return certificate.alarm == TITLES[kind] and certificate.status != Status.REVOKED


def _expiring(days: int) -> QuerySet[Certificate]:
    """Those of that stage that nobody was told of, and that were made to live longer than that."""
    now, span = timezone.now(), timedelta(days=days)
    rows = Certificate.objects.filter(source=Source.UPLOADED).exclude(status=Status.REVOKED)
    rows = rows.filter(current__not_after__lte=now + span, current__not_before__lte=F("current__not_after") - span)
    if later := [stage for stage in DAYS_BEFORE_EXPIRY if stage < days]:
        rows = rows.filter(current__not_after__gt=now + timedelta(days=max(later)))
    return rows.exclude(alarm=expiry_title(days)).order_by("pk")


@transaction.atomic
def _warn(certificate: Certificate, days: int) -> None:
    title, current = expiry_title(days), certificate.current
    assert current  # noqa: S101 -- that is what was asked for
    rows = Certificate.objects.filter(pk=certificate.pk, current=current).exclude(alarm=title)
    # Another beat may have been first.
    if not rows.update(alarm=title, alarmed_at=timezone.now()):
        return
    enqueue_warning(
        certificate,
        job=WARN,
        label="Mail a warning about a certificate",
        kind=expiry_kind(days),
        title=f"The certificate of {certificate.site} {title}",
        lines=[f"Browsers refuse the site by HTTPS from {current.not_after:{TIME}} on"],
        about=f"an uploaded certificate for {certificate}",
        advice=ADVICE,
        page=certificate.get_absolute_url(),
    )
