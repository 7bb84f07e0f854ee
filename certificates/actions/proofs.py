"""Having proofs removed that a job has left."""

from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from certificates.models import Certificate, Proof
from deploynix.actor import system_actor
from jobs.actions import enqueue_job
from jobs.models import Job

CLEAN = "clean_proofs"
# A proof of a job that is about to be queued, or has just ended and cleans up itself.
GRACE = timedelta(minutes=5)
# What could not be removed in several tries is tried again after that.
PAUSE = timedelta(hours=6)


def clean_up_after(job: Job, certificate: Certificate) -> None:
    """Queues the removal of what the job, which has just failed or was cancelled, leaves behind."""
    if Proof.objects.filter(issuance__certificate=certificate, removed_at=None).exists():
        _enqueue(certificate)


def clean_standing_proofs() -> int:
    """The same for proofs that stand though no job works on their certificate; how many certificates had some."""
    now = timezone.now()
    old = Proof.objects.filter(removed_at=None, created_at__lt=now - GRACE, issuance__certificate=OuterRef("pk"))
    jobs = Job.objects.filter(subject_type="certificate", subject_id=OuterRef("pk"))
    tried = jobs.filter(kind=CLEAN, finished_at__gt=now - PAUSE)
    left = Certificate.objects.filter(Exists(old)).exclude(Exists(jobs.open())).exclude(Exists(tried))
    rows = list(left.select_related("organization"))
    for certificate in rows:
        _enqueue(certificate)
    return len(rows)


def _enqueue(certificate: Certificate) -> None:
    enqueue_job(
        system_actor(certificate.organization),
        kind=CLEAN,
        subject=certificate,
        label=f"Remove the proofs of {certificate}",
        # Not while another job makes use of them.
        lane=certificate.lane,
    )
