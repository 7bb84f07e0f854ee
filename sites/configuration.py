"""What the sites of a server add to its desired configuration."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from django.db.models import QuerySet
from django.template import Context, Engine

from deploynix.dotenv import render_dotenv
from deploynix.errors import Error
from servers.managed import Managed, ManagedDirectory, ManagedFile, register
from servers.models import Server
from sites.models import Site, Status, Type
from sites.tls import Share, SiteCertificate, certificates_of, shares

# Where a challenge of a certificate authority is answered from, for all sites of the server: written by root, read by
# nginx. It stands by itself, as /var/lib/deploynix is root's alone.
CHALLENGES = "/var/lib/deploynix-challenges"
CONFIGS = Path(__file__).parent / "configs"
_engine = Engine(dirs=[str(CONFIGS)], autoescape=False)
# What nginx and PHP-FPM read as one plain word: no quote, space, semicolon, brace or variable, and no star but a
# wildcard's.
_WORD = re.compile(r"(\*\.)?[A-Za-z0-9._/-]*")


@register
def managed_files(server: Server) -> Iterator[Managed]:
    """The provider: the files of all sites that are installed on the server, and what these share."""
    sites = list(installed_sites(server).prefetch_related("environment"))
    certificates = certificates_of(server)
    if sites:
        yield from _shared_files(sites)
    if certificates:
        yield _nginx_file("/etc/nginx/conf.d/deploynix-no-site.conf", _render("no-site.conf"))
    for site in sites:
        yield from site_files(site, certificates.get(site.pk, []))


def installed_sites(server: Server) -> QuerySet[Site]:
    """Those that the server has, and is to keep."""
    return Site.objects.filter(server=server).exclude(installed_at=None).exclude(status=Status.DELETING).order_by("id")


def site_files(site: Site, certificates: Sequence[SiteCertificate]) -> Iterator[Managed]:
    """What is on the server for this one site."""
    name = site.username
    yield ManagedDirectory(path=f"/var/log/sites/{name}", mode=0o750, group=name)
    yield _nginx_file(vhost_path(site), render_vhost(site, certificates))
    if site.type == Type.PHP:
        yield _pool(site)
    variables = {variable.name: variable.value for variable in site.environment.all()}
    if variables:
        yield ManagedFile(
            path=f"{site.folder}/shared/.env",
            content=render_dotenv(variables).encode(),
            mode=0o600,
            owner=name,
            group=name,
            secret=True,
        )


def vhost_path(site: Site) -> str:
    return f"/etc/nginx/sites-enabled/{site.username}.conf"


def render_vhost(site: Site, certificates: Sequence[SiteCertificate]) -> bytes:
    """nginx's configuration of a site. Raises Error for a value that nginx could read as more than one word.

    A name is served by HTTPS where a certificate holds it, and sent there only once the server was seen to serve it.
    """
    names = (site.domain, *site.aliases)
    parts = shares(names, certificates)
    served = {name for part in parts if part.certificate.is_served for name in part.names}
    forced = served if site.is_https_forced else set()
    return _render(
        "vhost.conf",
        names=_words(names),
        open_names=_words(name for name in names if name not in forced),
        forced_names=_words(name for name in names if name in forced),
        shares=[_share(part) for part in parts],
        username=_word(site.username),
        web_root=_word(f"/{site.web_root}" if site.web_root else ""),
        challenges=CHALLENGES,
        is_php=site.type == Type.PHP,
        is_suspended=site.status == Status.SUSPENDED,
    )


def _share(share: Share) -> dict[str, str]:
    certificate = share.certificate
    return {"names": _words(share.names), "chain": _word(certificate.chain), "key": _word(certificate.key)}


def _pool(site: Site) -> ManagedFile:
    content = _render("pool.conf", username=_word(site.username))
    return _php_file(_word(site.php_version), f"pool.d/{site.username}.conf", content)


def _php_file(version: str, name: str, content: bytes) -> ManagedFile:
    return ManagedFile(
        path=f"/etc/php/{version}/fpm/{name}",
        content=content,
        validate=f"php-fpm{version}",
        reload=f"php{version}-fpm",
    )


def _nginx_file(path: str, content: bytes) -> ManagedFile:
    return ManagedFile(path=path, content=content, validate="nginx", reload="nginx")


def _shared_files(sites: list[Site]) -> Iterator[Managed]:
    yield ManagedDirectory(path="/var/log/sites")
    yield ManagedDirectory(path=CHALLENGES, mode=0o750, group="www-data")
    yield ManagedDirectory(path="/run/nginx-next", mode=0o700)
    yield ManagedDirectory(path="/etc/systemd/system/nginx.service.d")
    yield ManagedFile(
        path="/etc/systemd/system/nginx.service.d/deploynix.conf",
        content=_render("nginx.service.conf"),
        reload="systemd",
    )
    yield _nginx_file("/etc/nginx/conf.d/deploynix-next.conf", _render("next.conf"))
    yield ManagedFile(path="/etc/logrotate.d/deploynix-sites", content=_render("logrotate.conf"))
    for version in sorted({_word(site.php_version) for site in sites if site.type == Type.PHP}):
        yield _php_file(version, "conf.d/99-deploynix-sites.ini", _render("php.ini"))
        yield _php_file(version, "pool.d/00-deploynix.conf", _render("php-fpm.conf"))


def _render(name: str, **values: object) -> bytes:
    return _engine.get_template(name).render(Context(values)).encode()


def _words(texts: Iterable[str]) -> str:
    return " ".join(map(_word, texts))


def _word(text: str) -> str:
    if not _WORD.fullmatch(text):
        raise Error(f"{text!r} cannot stand in a configuration file.")
    return text
