"""Revoking and deleting certificates."""

from django.db import transaction

from audit.log import record
from certificates.actions import checks
from certificates.models import Certificate, Proof, Reason
from deploynix.actor import Actor
from deploynix.errors import Conflict, Invalid
from jobs.actions import enqueue_job
from jobs.models import Job

REVOKE, DELETE = "revoke_certificate", "delete_certificate"


@transaction.atomic
def revoke_certificate(actor: Actor, *, certificate: Certificate, reason: str = Reason.UNSPECIFIED) -> Job:
    """Queues telling the authority that nobody is to trust what is installed any more; then it is taken off the server.

    Raises Denied, Invalid for a reason that there is not, and Conflict where there is nothing that could be revoked,
    or a job is at work.
    """
    actor.require("certificate:delete")
    if reason not in Reason.values:
        raise Invalid({"reason": ["The selected reason is invalid."]})
    certificate = checks.locked(certificate)
    checks.idle(certificate)
    current = certificate.current
    if current is None:
        raise Conflict("Nothing of this certificate is installed.", "There is nothing to revoke.")
    if certificate.account is None:
        hint = "Revoke it where it was issued, then delete it here."
        raise Conflict("This certificate was uploaded: only its own authority can revoke it.", hint)
    record(actor, "certificate.revoked", certificate, {"serial": [current.serial, None], "reason": [None, reason]})
    return enqueue_job(
        actor,
        kind=REVOKE,
        subject=certificate,
        label=f"Revoke the certificate of {certificate.site}",
        lane=certificate.lane,
        params={"issuance": current.pk, "reason": reason},
    )


@transaction.atomic
def delete_certificate(actor: Actor, *, certificate: Certificate) -> Job | None:
    """Takes it off its server, with its key, and forgets it; None where it was on none, and is gone already. It is not
    revoked by that.

    Raises Denied, and Conflict while a job is at work.
    """
    actor.require("certificate:delete")
    certificate = checks.locked(certificate)
    checks.idle(certificate)
    record(actor, "certificate.deleted", certificate, {"names": [certificate.names, None]})
    if (
        certificate.current is None
        and not Proof.objects.filter(issuance__certificate=certificate, removed_at=None).exists()
    ):
        certificate.delete()
        return None
    # Nobody is to renew it meanwhile.
    Certificate.objects.filter(pk=certificate.pk).update(renew_at=None, ask_at=None, rehearse_at=None)
    return enqueue_job(
        actor,
        kind=DELETE,
        subject=certificate,
        label=f"Delete the certificate of {certificate.site}",
        lane=certificate.lane,
    )
