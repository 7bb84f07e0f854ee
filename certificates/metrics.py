"""Figures of certificates. What is left of a life goes down whatever runs here, so that it tells, too, when the
scheduler does not."""

from collections.abc import Iterator

from django.utils import timezone

from certificates.models import Certificate, Status
from deploynix.metrics import Gauge


def metrics() -> Iterator[Gauge]:
    rows = Certificate.objects.exclude(status=Status.REVOKED).exclude(current__not_after=None)
    rows = rows.select_related("site", "current").defer("current__private_key", "current__chain").order_by("pk")
    now = timezone.now()
    lives: list[tuple[dict[str, str], float]] = []
    renewals: list[tuple[dict[str, str], float]] = []
    failures: list[tuple[dict[str, str], float]] = []
    alarms: list[tuple[dict[str, str], float]] = []
    for row in rows:
        labels = {"certificate": row.pk, "site": row.site.domain, "source": row.source}
        if row.current and row.current.not_after:
            lives.append((labels, (row.current.not_after - now).total_seconds()))
        if row.renew_at:
            renewals.append((labels, (row.renew_at - now).total_seconds()))
        failures.append((labels, row.failures))
        alarms.append((labels, float(row.alarmed_at is not None)))
    yield Gauge("deploynix_certificate_left_seconds", "Until the installed certificate ends; negative after.", lives)
    yield Gauge("deploynix_certificate_renewal_seconds", "Until it is renewed; negative where that is late.", renewals)
    yield Gauge("deploynix_certificate_failures", "Attempts to renew it that failed in a row.", failures)
    yield Gauge("deploynix_certificate_alarm", "1 while it has an alarm.", alarms)
