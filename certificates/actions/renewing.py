"""What is done with certificates when their time has come."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from audit.log import record
from certificates.actions.issuing import enqueue_issue
from certificates.models import Certificate, Status
from deploynix.actor import system_actor
from jobs.actions import enqueue_job
from jobs.models import Job

logger = logging.getLogger(__name__)
REHEARSE, ASK = "rehearse_renewal", "ask_for_renewal"
# Of those that are due, so many are queued at a time.
BATCH = 200
# Until the job that asks has learned when to ask again.
ASK_PAUSE = timedelta(hours=6)


def renew_due_certificates() -> int:
    """Queues the renewals whose time has come; how many."""
    return _run_due("renew_at", lambda certificate, _: _renew(certificate))


def rehearse_due_renewals() -> int:
    """The same for rehearsals."""
    return _run_due("rehearse_at", lambda certificate, _: _rehearse(certificate))


def ask_for_due_renewals() -> int:
    """The same for asking the authorities when they want to be asked to renew."""
    return _run_due("ask_at", _ask)


def _run_due(turn: str, perform: Callable[[Certificate, datetime], None]) -> int:
    jobs = Job.objects.open().filter(subject_type="certificate", subject_id=OuterRef("pk"))
    rows = Certificate.objects.filter(**{f"{turn}__lte": timezone.now()}).exclude(account=None)
    rows = rows.exclude(status=Status.REVOKED).exclude(Exists(jobs))
    return sum(_run_one(pk, turn, perform) for pk in rows.order_by(turn).values_list("pk", flat=True)[:BATCH])


def _run_one(pk: str, turn: str, perform: Callable[[Certificate, datetime], None]) -> bool:
    """Whether something was queued. What is wrong with one certificate does not keep the others from their turn."""
    try:
        with transaction.atomic():
            moment = timezone.now()
            # Another beat may have it in hand, or have had its turn meanwhile.
            rows = Certificate.objects.select_for_update(skip_locked=True, of=("self",))
            rows = rows.select_related("organization", "site").filter(pk=pk, **{f"{turn}__lte": moment})
            certificate = rows.first()
            if certificate is None or Job.objects.open().about(certificate).exists():
                return False
            perform(certificate, moment)
            return True
    except Exception:
        logger.exception("the turn of certificate %s broke", pk)
        return False


def _renew(certificate: Certificate) -> None:
    actor = system_actor(certificate.organization)
    record(actor, "certificate.renewed", certificate)
    enqueue_issue(actor, certificate, f"Renew the certificate of {certificate.site}")


def _rehearse(certificate: Certificate) -> None:
    Certificate.objects.filter(pk=certificate.pk).update(rehearse_at=None)
    _enqueue(certificate, REHEARSE, f"Rehearse the renewal of the certificate of {certificate.site}")


def _ask(certificate: Certificate, moment: datetime) -> None:
    Certificate.objects.filter(pk=certificate.pk).update(ask_at=moment + ASK_PAUSE)
    _enqueue(certificate, ASK, f"Ask when to renew the certificate of {certificate.site}")


def _enqueue(certificate: Certificate, kind: str, label: str) -> None:
    actor = system_actor(certificate.organization)
    enqueue_job(actor, kind=kind, subject=certificate, label=label, lane=certificate.lane)
