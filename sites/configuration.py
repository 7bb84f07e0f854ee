"""What the sites of a server add to its desired configuration."""

import re
from collections.abc import Iterator
from pathlib import Path

from django.template import Context, Engine

from deploynix.dotenv import render_dotenv
from deploynix.errors import Error
from servers.managed import Managed, ManagedDirectory, ManagedFile, register
from servers.models import Server
from sites.models import Site, Status, Type

CONFIGS = Path(__file__).parent / "configs"
_engine = Engine(dirs=[str(CONFIGS)], autoescape=False)
# What nginx and PHP-FPM read as one plain word: no quote, space, semicolon, brace or variable.
_WORD = re.compile(r"[A-Za-z0-9._/-]*")


@register
def managed_files(server: Server) -> Iterator[Managed]:
    """The provider: the files of all sites that are installed on the server, and what these share."""
    sites = list(
        Site.objects.filter(server=server)
        .exclude(installed_at=None)
        .exclude(status=Status.DELETING)
        .prefetch_related("environment")
        .order_by("id")
    )
    if sites:
        yield from _shared_files(server, sites)
    for site in sites:
        yield from site_files(site)


def site_files(site: Site) -> Iterator[Managed]:
    """What is on the server for this one site."""
    name = site.username
    yield ManagedDirectory(path=f"/var/log/sites/{name}", mode=0o750, group=name)
    yield ManagedFile(path=vhost_path(site), content=render_vhost(site), validate="nginx", reload="nginx")
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


def render_vhost(site: Site) -> bytes:
    """nginx's configuration of a site. Raises Error for a value that nginx could read as more than one word."""
    return _render(
        "vhost.conf",
        names=" ".join(_word(name) for name in (site.domain, *site.aliases)),
        username=_word(site.username),
        web_root=_word(f"/{site.web_root}" if site.web_root else ""),
        is_php=site.type == Type.PHP,
        is_suspended=site.status == Status.SUSPENDED,
    )


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


def _shared_files(server: Server, sites: list[Site]) -> Iterator[Managed]:
    yield ManagedDirectory(path="/var/log/sites")
    yield ManagedDirectory(path="/run/nginx-next", mode=0o700)
    yield ManagedDirectory(path="/etc/systemd/system/nginx.service.d")
    yield ManagedFile(
        path="/etc/systemd/system/nginx.service.d/deploynix.conf",
        content=_render("nginx.service.conf"),
        reload="systemd",
    )
    yield ManagedFile(
        path="/etc/nginx/conf.d/deploynix-next.conf", content=_render("next.conf"), validate="nginx", reload="nginx"
    )
    yield ManagedFile(path="/etc/logrotate.d/deploynix-sites", content=_render("logrotate.conf"))
    for version in sorted({_word(site.php_version) for site in sites if site.type == Type.PHP}):
        yield _php_file(version, "conf.d/99-deploynix-sites.ini", _render("php.ini"))
        yield _php_file(version, "pool.d/00-deploynix.conf", _render("php-fpm.conf"))


def _render(name: str, **values: object) -> bytes:
    return _engine.get_template(name).render(Context(values)).encode()


def _word(text: str) -> str:
    if not _WORD.fullmatch(text):
        raise Error(f"{text!r} cannot stand in a configuration file.")
    return text
