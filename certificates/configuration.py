"""What certificates add to a server's desired configuration: chains and keys as files, and which site has which."""

from collections.abc import Iterator

from django.db.models import QuerySet

from certificates.models import Certificate, Status
from servers import managed
from servers.managed import Managed, ManagedDirectory, ManagedFile
from servers.models import Server
from sites.configuration import installed_sites
from sites.tls import SiteCertificate, register_certificates

FOLDER = "/etc/nginx/certificates"


@managed.register
def managed_files(server: Server) -> Iterator[Managed]:
    """Each issuance has names of its own, so that nothing on the disk ever joins a chain to the key of another."""
    certificates = list(installed(server))
    if certificates:
        yield ManagedDirectory(path=FOLDER, mode=0o700)
    for certificate in certificates:
        assert certificate.current  # noqa: S101 -- what `installed` asks for
        yield _file(chain_path(certificate), certificate.current.chain)
        yield _file(key_path(certificate), certificate.current.private_key)


@register_certificates
def certificates_of(server: Server) -> dict[str, list[SiteCertificate]]:
    """The newest first: it is what its people want for its names."""
    found: dict[str, list[SiteCertificate]] = {}
    for certificate in installed(server).defer("current__private_key", "current__chain"):
        found.setdefault(certificate.site_id, []).append(as_served(certificate))
    return found


def installed(server: Server) -> QuerySet[Certificate]:
    """Those whose files the server is to have, the newest first."""
    rows = Certificate.objects.filter(site__in=installed_sites(server)).exclude(current=None)
    return rows.exclude(status=Status.REVOKED).select_related("site", "current").order_by("-id")


def as_served(certificate: Certificate) -> SiteCertificate:
    return SiteCertificate(
        names=tuple(certificate.names),
        chain=chain_path(certificate),
        key=key_path(certificate),
        is_served=certificate.served_at is not None,
    )


def chain_path(certificate: Certificate) -> str:
    return f"{FOLDER}/{certificate.site.username}-{certificate.current_id}.pem"


def key_path(certificate: Certificate) -> str:
    return f"{FOLDER}/{certificate.site.username}-{certificate.current_id}.key"


def _file(path: str, text: str) -> ManagedFile:
    return ManagedFile(path=path, content=text.encode(), mode=0o600, validate="nginx", reload="nginx", secret=True)
