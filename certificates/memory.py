"""What an authority may still remember of a name's proofs.

Its resolver answers from what it has looked up before: as long as the TTL says, or a time of its own (a minute at Let's
Encrypt). A proof that was put beside another one meanwhile is not seen, though every name server shows it.
"""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from certificates.acme.errors import AcmeError
from certificates.models import Certificate, Proof
from jobs.run import Postponed, Run

# A usual TTL. An authority that remembers for longer refuses again, and its error says what may be the matter.
PAUSE = timedelta(minutes=5)
# What authorities say that have not found a value, or have found others: RFC 8555, section 6.7.
NOT_FOUND = frozenset({"unauthorized", "incorrectResponse"})


def wait_for_forgetting(run: Run, certificate: Certificate, error: AcmeError) -> None:
    """Raises Postponed, once in a job, where the authority may have refused what it had looked up for another proof."""
    if error.problem not in NOT_FOUND or "asked_again" in run.job.result:
        return
    issuance = certificate.issuances.order_by("-id").first()
    places = issuance.proofs.exclude(record_name="").values("record_name") if issuance else ()
    now = timezone.now()
    others = Proof.objects.filter(issuance__certificate__organization=certificate.organization).exclude(
        issuance=issuance
    )
    shortly = Q(removed_at=None) | Q(removed_at__gt=now - PAUSE)
    if not others.filter(shortly, record_name__in=places).exists():
        return
    run.result(asked_again=True)
    reason = "The authority may still remember another proof of the same name, which was there shortly before."
    raise Postponed(now + PAUSE, f"{error.message} {reason}")
