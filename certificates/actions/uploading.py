"""Taking certificates that people bring along."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from audit.log import record
from certificates import pem
from certificates.models import Certificate, Issuance, IssuanceStatus, Source, Status
from deploynix.actor import Actor
from deploynix.errors import Conflict
from jobs.actions import enqueue_job
from sites.checks import require_standing
from sites.models import Site
from sites.tls import covers

INSTALL = "install_certificate"


@transaction.atomic
def upload_certificate(actor: Actor, *, site: Site, chain: str, private_key: str) -> Certificate:
    """Stores the chain and its key, both PEM, and queues their installation. One that was uploaded for the same names
    is replaced by it: it goes on being served until then.

    Raises Denied, Conflict before the site's first deploy, and Invalid, which names `chain` or `private_key`.
    """
    actor.require("certificate:create")
    site = Site.objects.select_for_update().select_related("server").get(pk=site.pk)
    require_standing(site)
    if site.installed_at is None:
        raise Conflict(f"{site} is not on its server yet.", "Deploy it first.")
    upload = pem.read_upload(chain, private_key)
    _require_name(site, upload)
    certificate = _certificate_for(site, upload)
    before = certificate.current.fingerprint if certificate.current else None
    issuance = _issuance_of(certificate, upload)
    record(actor, "certificate.uploaded", certificate, {"fingerprint": [before, issuance.fingerprint]})
    certificate.job = enqueue_job(
        actor,
        kind=INSTALL,
        subject=certificate,
        label=f"Install a certificate for {site}",
        lane=certificate.lane,
        params={"issuance": issuance.pk},
    )
    certificate.save(update_fields=["job", "updated_at"])
    return certificate


def _require_name(site: Site, upload: pem.Upload) -> None:
    names = (site.domain, *site.aliases)
    if not any(covers(upload.names, name) for name in names):
        held, own = ", ".join(upload.names), ", ".join(names)
        raise pem.refusal("chain", f"It holds for {held}, but the names of the site are {own}.")


def _certificate_for(site: Site, upload: pem.Upload) -> Certificate:
    rows = Certificate.objects.select_for_update(of=("self",)).select_related("current")
    own = rows.filter(site=site, source=Source.UPLOADED).exclude(status=Status.REVOKED).order_by("-id")
    found = next((row for row in own if set(row.names) == set(upload.names)), None)
    certificate = found or Certificate(
        organization=site.organization, server=site.server, site=site, source=Source.UPLOADED, names=list(upload.names)
    )
    certificate.key_type = upload.key_type
    # What is served goes on being so until the new one is.
    if certificate.status != Status.ACTIVE:
        certificate.status = Status.PENDING
    certificate.save()
    return certificate


def _issuance_of(certificate: Certificate, upload: pem.Upload) -> Issuance:
    fields: dict[str, Any] = upload.facts
    return Issuance.objects.create(
        certificate=certificate,
        status=IssuanceStatus.ISSUED,
        names=list(upload.names),
        chain=upload.chain,
        private_key=upload.private_key,
        issued_at=timezone.now(),
        **fields,
    )
