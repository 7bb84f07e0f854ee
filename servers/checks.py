"""Questions that actions and forms ask before anything is written."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Model, QuerySet

from deploynix.errors import Conflict, Error, Invalid
from jobs.models import Job
from servers import ssh
from servers.models import DatabaseType, Server, Status
from servers.ssh.keys import read_private_key, read_public_key


def address(ip_address: str) -> None:
    """Raises Invalid for an address that no server can have. What is no address at all is left to the field."""
    try:
        ssh.check_address(ip_address, allow_private=settings.SSH_ALLOW_PRIVATE)
    except ValueError:
        return
    except Error as error:
        raise Invalid({"ip_address": [f"{error.message} {error.hint}"]}) from None


def private_key(text: str) -> str:
    """The key as it will be stored. Raises Invalid where it is none, or has a passphrase."""
    try:
        return read_private_key(text.strip() + "\n").export_private_key("openssh").decode()
    except Error as error:
        raise Invalid({"private_key": [f"{error.message} {error.hint}"]}) from None


def host_key(line: str) -> str:
    """The public key line without its comment. Raises Invalid where it is none."""
    try:
        return " ".join(read_public_key(line.strip()).export_public_key("openssh").decode().split()[:2])
    except Error as error:
        raise Invalid({"host_key": [f"{error.message} {error.hint}"]}) from None


def uniqueness(server: Server) -> None:
    """Raises Invalid where another server of the organization has the name or the address."""
    others = Server.objects.filter(organization=server.organization).exclude(pk=server.pk)
    if others.filter(name=server.name).exists():
        raise Invalid({"name": ["The name has already been taken."]})
    same = others.filter(ip_address=server.ip_address, ssh_port=server.ssh_port).first()
    if same:
        raise Invalid({"ip_address": [f"The ip address has already been taken: {same} is there, on the same port."]})


def engine(server: Server) -> None:
    """Raises Conflict where nothing can be done with databases of the server."""
    if server.database_type == DatabaseType.NONE:
        raise Conflict(f"{server} has no database engine.", "Use a server that was provisioned with one.")
    if server.status == Status.DELETING:
        raise Conflict(f"{server} is being removed.", "See its job for how far that is.")
    if not server.is_ready:
        raise Conflict(f"{server} is not provisioned yet.", "Provision it first.")


def services(server: Server) -> dict[str, str]:
    """The services that can be restarted, by the name that users know, with their systemd unit."""
    units = {"nginx": "nginx", "redis": "redis-server", "supervisor": "supervisor"}
    if server.php_version:
        units["php"] = f"php{server.php_version}-fpm"
    if server.database_type != DatabaseType.NONE:
        units["database"] = server.database_type
    return units


def open_job(subject: Model, kind: str, **params: Any) -> Job | None:
    """The job of the kind, with these parameters, that waits or runs for the server or database."""
    return next(_with(params, Job.objects.open().about(subject).filter(kind=kind)), None)


def was_tried(server: Server, kind: str, since: datetime, **params: Any) -> bool:
    """Whether a job of the kind, with these parameters, was queued since then, however it ended."""
    return any(_with(params, Job.objects.about(server).filter(kind=kind, created_at__gt=since)))


def _with(params: dict[str, Any], jobs: QuerySet[Job]) -> Iterator[Job]:
    return (job for job in jobs.order_by("-id") if params.items() <= job.params.items())
