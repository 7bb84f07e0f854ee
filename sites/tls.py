"""Which certificates the sites of a server are served with: an app above this one tells, in `AppConfig.ready()`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from servers.models import Server
    from sites.models import Site


@dataclass(frozen=True)
class SiteCertificate:
    """A certificate on a server. `names` are those that stand in it, wildcards too; `chain` and `key` are paths there.

    `is_served`: a handshake has found the server serving it, so that visitors may be sent to it.
    """

    names: tuple[str, ...]
    chain: str
    key: str
    is_served: bool


@dataclass(frozen=True)
class Share:
    """The names of a site that one certificate serves."""

    certificate: SiteCertificate
    names: tuple[str, ...]


# By the id of the site, the one that counts first where several hold the same name.
Source = Callable[["Server"], Mapping[str, Sequence[SiteCertificate]]]

_sources: list[Source] = []


def register_certificates(source: Source) -> Source:
    """Registers a function that knows the certificates of a server's sites; of use as a decorator."""
    if source not in _sources:
        _sources.append(source)
    return source


def certificates_of(server: "Server") -> dict[str, list[SiteCertificate]]:
    """By the id of the site."""
    found: dict[str, list[SiteCertificate]] = {}
    for source in _sources:
        for site_id, certificates in source(server).items():
            found.setdefault(site_id, []).extend(certificates)
    return found


def shares(names: Iterable[str], certificates: Sequence[SiteCertificate]) -> list[Share]:
    """Which certificate serves which of the names; one that holds none is left out, as is a name that none holds."""
    taken: dict[SiteCertificate, list[str]] = {}
    for name in names:
        if found := next((one for one in certificates if covers(one.names, name)), None):
            taken.setdefault(found, []).append(name)
    return [Share(certificate, tuple(own)) for certificate, own in taken.items()]


def covers(names: Iterable[str], name: str) -> bool:
    """Whether a certificate with these names holds for the name: a wildcard stands for one label (RFC 9525, 6.3)."""
    wildcard = f"*.{name.partition('.')[2]}"
    return any(one in (name, wildcard) for one in names)


def is_served(site: "Site", name: str) -> bool:
    """Whether a visitor who asks for the name by HTTPS gets the site."""
    certificates = certificates_of(site.server).get(site.pk, [])
    return any(share.certificate.is_served for share in shares([name], certificates))
