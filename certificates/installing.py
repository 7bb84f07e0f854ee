"""Getting an issued certificate onto its server, and seeing it served: the last steps of every job that brings one.

Both steps are safe to run twice. A step calls one of them inside a job whose subject is the certificate.
"""

from django.utils import timezone

from certificates.configuration import certificates_of, chain_path
from certificates.handshake import PORT, HandshakeFailed, served_leaf
from certificates.models import Certificate, Issuance, IssuanceStatus, Status
from deploynix.errors import Error
from jobs.run import Run
from servers.converge import ConvergeFailed
from servers.models import Server
from sites import remote
from sites.models import Site
from sites.tls import shares

# A proxy on the server, or a busy one, may take a moment to show what nginx has loaded.
PATIENCE = 15.0
PAUSE = 0.5


def install(run: Run, issuance: Issuance) -> None:
    """Makes it what its certificate has installed, and takes chain, key and vhost to the server in one go.

    Where nginx refuses them, the one before is the installed one again, and the server as it was: ConvergeFailed.
    Raises what SSH raises, too; then the next attempt goes on.
    """
    certificate = Certificate.objects.select_related("site__server").get(pk=issuance.certificate_id)
    # Kept, because an attempt after this one finds the new one in its place already.
    if "replaces" not in run.job.result:
        run.result(replaces=certificate.current_id)
    _make_current(run, certificate, issuance.pk)
    with run.write():
        Certificate.objects.filter(pk=certificate.pk).exclude(status=Status.ACTIVE).update(status=Status.INSTALLING)
    try:
        remote.configure(run, certificate.site, always=True)
    except ConvergeFailed:
        _make_current(run, certificate, run.job.result["replaces"])
        raise


def uninstall(run: Run, certificate: Certificate) -> None:
    """Takes chain and key off the server; the names that no other certificate holds are served by HTTP again."""
    _make_current(run, certificate, None)
    remote.configure(run, Site.objects.select_related("server").get(pk=certificate.site_id), always=True)


def read_back(run: Run, certificate: Certificate) -> None:
    """Waits until the server serves what is installed; then the certificate is active, and visitors are sent to HTTPS.

    Raises HandshakeFailed, and Error where another certificate serves all its names.
    """
    certificate = Certificate.objects.select_related("site__server", "current").get(pk=certificate.pk)
    name, current = name_served(certificate), certificate.current
    if name is None or current is None:
        raise Error(
            f"No name of {certificate.site} is served with this certificate.",
            "A newer certificate of the site holds them too, or the names of the site were changed.",
        )
    _await(run, certificate.site.server, name, current.fingerprint)
    run.line(f"{certificate.site.server} serves it for {name}, until {current.not_after:%-d %b %Y, %H:%M UTC}.")
    with run.write():
        rows = Certificate.objects.filter(pk=certificate.pk, current=current)
        now = timezone.now()
        rows.update(status=Status.ACTIVE, served_at=now, error="", hint="", updated_at=now)
        before = certificate.issuances.filter(status=IssuanceStatus.ISSUED).exclude(pk=current.pk)
        before.update(status=IssuanceStatus.SUPERSEDED)
    remote.configure(run, certificate.site)


def name_served(certificate: Certificate) -> str | None:
    """A name of the site that is served with it; None where there is none."""
    site = certificate.site
    parts = shares((site.domain, *site.aliases), certificates_of(site.server).get(site.pk, []))
    return next((part.names[0] for part in parts if part.certificate.chain == chain_path(certificate)), None)


def _make_current(run: Run, certificate: Certificate, issuance_id: str | None) -> None:
    with run.write():
        rows = Certificate.objects.filter(pk=certificate.pk)
        rows.update(current=issuance_id, updated_at=timezone.now())
        if issuance_id is None:
            rows.update(served_at=None)


def _await(run: Run, server: Server, name: str, fingerprint: str) -> None:
    end = timezone.now().timestamp() + PATIENCE
    while True:
        try:
            return _compare(server, name, fingerprint)
        except HandshakeFailed:
            if timezone.now().timestamp() > end:
                raise
        run.check()
        run.stopping.wait(PAUSE)


def _compare(server: Server, name: str, fingerprint: str) -> None:
    # A wildcard is shown for whatever name below it is asked for.
    shown = served_leaf(server.ip_address, PORT, name.replace("*", "any")).fingerprint
    if shown != fingerprint:
        reason = f"it shows another one, with the fingerprint {shown[:16]}..."
        raise HandshakeFailed(name, server.ip_address, PORT, reason, "Something else may answer on port 443.")
