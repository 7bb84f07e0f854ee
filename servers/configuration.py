"""The files that every server has. Their fixed text lies in servers/files."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from string import Template

from servers import managed
from servers.firewall import open_ports
from servers.managed import Managed, ManagedDirectory, ManagedFile
from servers.models import Server

FILES = Path(__file__).resolve().parent / "files"
nginx_file = partial(ManagedFile, validate="nginx", reload="nginx")


@managed.register
def managed_files(server: Server) -> Iterator[Managed]:
    yield from _access(server)
    yield from _web(server)
    yield from _upkeep()


def text_of(name: str, **values: str) -> bytes:
    """A file of servers/files, with its `$names` filled in where `values` are given."""
    text = (FILES / name).read_text()
    return (Template(text).substitute(values) if values else text).encode()


def _access(server: Server) -> Iterator[Managed]:
    yield ManagedFile(
        path="/etc/ssh/sshd_config.d/00-deploynix.conf",
        content=text_of("sshd.conf"),
        validate="sshd",
        reload="sshd",
        guarded=True,
    )
    yield ManagedFile(
        path="/etc/nftables.conf",
        content=text_of("nftables.conf", ports=", ".join(map(str, open_ports(server)))),
        mode=0o755,
        validate="nftables",
        reload="nftables",
        guarded=True,
    )
    yield ManagedFile(
        path=f"/etc/sudoers.d/{server.ssh_user}",
        content=text_of("sudoers"),
        mode=0o440,
        validate="visudo",
        guarded=True,
    )
    yield ManagedFile(
        path=f"/home/{server.ssh_user}/.ssh/authorized_keys",
        content=f"{server.public_key}\n".encode(),
        mode=0o600,
        owner=server.ssh_user,
        group=server.ssh_user,
        guarded=True,
    )


def _web(server: Server) -> Iterator[Managed]:
    yield nginx_file(path="/etc/nginx/conf.d/deploynix.conf", content=text_of("nginx.conf"))
    yield nginx_file(path="/etc/nginx/sites-enabled/default", content=text_of("nginx-default.conf"))
    if version := server.php_version:
        php_file = partial(ManagedFile, validate=f"php-fpm{version}", reload=f"php{version}-fpm")
        folder = f"/etc/php/{version}/fpm"
        yield php_file(path=f"{folder}/pool.d/www.conf", content=text_of("php-pool.conf", php_version=version))
        yield php_file(path=f"{folder}/conf.d/99-deploynix.ini", content=text_of("php.ini"))


def _upkeep() -> Iterator[Managed]:
    yield ManagedFile(path="/etc/apt/apt.conf.d/20auto-upgrades", content=text_of("auto-upgrades.conf"))
    yield ManagedFile(path="/etc/cron.d/deploynix", content=text_of("crontab"))
    yield ManagedDirectory(path="/var/log/deploynix")
    yield ManagedFile(path="/etc/logrotate.d/deploynix", content=text_of("logrotate.conf"))
