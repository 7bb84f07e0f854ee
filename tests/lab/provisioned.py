"""Target hosts that the project has provisioned. It is done once, and kept as an image until what does it changes."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pytest_django import DjangoDbBlocker

import servers
from deploynix.actor import Actor
from jobs.models import Job
from jobs.runner import run_job
from organizations.models import Organization, Role
from servers.actions import create_server
from servers.models import DatabaseType, Server
from servers.models import Status as ServerStatus
from tests import factories
from tools.targethost import Host, Lab
from tools.targethost.images import locked

# Trees that differ, for example two branches, may be tested side by side: each has an image of its own.
KEPT_IMAGES = 3
PHP_VERSION = "8.2"
# What of a server's row belongs to the image, as its key is on the disk.
KEPT = ("private_key", "public_key", "php_version", "database_type", "operating_system")
# What of the app comes after provisioning: a change here makes no new image.
NOT_PROVISIONING = {
    *("api", "databases", "forms", "migrations", "views"),
    *("__init__.py", "apps.py", "databases.py", "scripts.py", "secrets.py", "urls.py"),
}


class ProvisionedHost(NamedTuple):
    server: Server
    host: Host


class ProvisionedImage:
    """An image of a provisioned server: Debian 12, PHP 8.2, a database. `record` is what its row has to say."""

    def __init__(self, lab: Lab, database_type: DatabaseType) -> None:
        self.lab = lab
        self.database_type = database_type
        self.kind = f"server-{database_type}"
        self.name = f"{self.kind}-{self._stamp()}"
        self._file = lab.cache / f"{self.name}.json"

    @property
    def record(self) -> dict[str, str]:
        kept: dict[str, str] = json.loads(self._file.read_text())
        return kept

    def start(self, ip: str) -> Host:
        return self.lab.start(f"host-{ip.rpartition('.')[2]}", ip, self.name)

    def row(self, organization: Organization, host: Host) -> Server:
        """The server's row, as if this organization had provisioned the host."""
        return factories.provisioned_server(organization, ip_address=host.ip, host_key=host.host_key, **self.record)

    def make(self, ip: str, blocker: DjangoDbBlocker) -> None:
        with locked(self.lab.cache / f"{self.kind}.lock"):
            if self._file.exists():
                return
            host = self.lab.start(f"host-{ip.rpartition('.')[2]}", ip)
            try:
                with blocker.unblock():
                    record = provision_once(host, self.database_type)
                host.snapshot(self.name)
            finally:
                host.stop()
            self._file.touch(0o600)
            self._file.write_text(json.dumps(record))
            self._remove_old()

    def _remove_old(self) -> None:
        files = sorted(self.lab.cache.glob(f"{self.kind}-*.json"), key=lambda file: file.stat().st_mtime)
        for file in files[:-KEPT_IMAGES]:
            file.unlink()
            self.lab.images.remove(file.stem)

    def _stamp(self) -> str:
        """Changes with whatever makes the image: the base image, and the code that provisions."""
        digest = sha256((self.lab.images.names / "base").readlink().name.encode())
        folder = Path(servers.__file__).parent
        for file in sorted(folder.rglob("*")):
            parts = file.relative_to(folder).parts
            if file.is_file() and file.suffix != ".pyc" and NOT_PROVISIONING.isdisjoint(parts):
                digest.update(file.read_bytes())
        return digest.hexdigest()[:12]


def provision_once(host: Host, database_type: DatabaseType) -> dict[str, str]:
    """Provisions the host for an organization that is gone afterwards; what its row has to say."""
    organization = factories.organization("Image")
    actor = factories.actor(organization, Role.OWNER)
    try:
        server, job = provision(actor, host, database_type=database_type)
        assert server.status == ServerStatus.ACTIVE, f"{job.error} {job.hint}"
        return {name: getattr(server, name) for name in KEPT}
    finally:
        organization.delete()
        assert actor.user is not None
        actor.user.delete()


def provision(actor: Actor, host: Host, **choices: Any) -> tuple[Server, Job]:
    """Adds the host as a user would, with the key that is on it, and runs the job to its end."""
    server = create_server(
        actor,
        name=f"image-{host.name}",
        ip_address=host.ip,
        private_key=host.private_key_path.read_text(),
        **{"php_version": PHP_VERSION, "database_type": DatabaseType.MARIADB} | choices,
    )
    job = Job.objects.about(server).get()
    run_job(job.pk)
    job.refresh_from_db()
    server.refresh_from_db()
    return server, job


def image_of(
    database_type: DatabaseType, lab: Lab, addresses: Iterator[str], blocker: DjangoDbBlocker
) -> ProvisionedImage:
    image = ProvisionedImage(lab, database_type)
    image.make(next(addresses), blocker)
    return image


@contextmanager
def host_of(image: ProvisionedImage, ip: str, organization: Organization) -> Iterator[ProvisionedHost]:
    """A provisioned server of the organization's, and the host that it is; thrown away afterwards."""
    host = image.start(ip)
    try:
        yield ProvisionedHost(image.row(organization, host), host)
    finally:
        host.stop()


@pytest.fixture(scope="session")
def provisioned_image(
    lab: Lab, addresses: Iterator[str], django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> ProvisionedImage:
    return image_of(DatabaseType.MARIADB, lab, addresses, django_db_blocker)


@pytest.fixture(scope="session")
def postgresql_image(
    lab: Lab, addresses: Iterator[str], django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> ProvisionedImage:
    return image_of(DatabaseType.POSTGRESQL, lab, addresses, django_db_blocker)


@pytest.fixture
def provisioned_host(
    provisioned_image: ProvisionedImage, addresses: Iterator[str], organization: Organization
) -> Iterator[ProvisionedHost]:
    """A provisioned server of Acme's with MariaDB."""
    with host_of(provisioned_image, next(addresses), organization) as provisioned:
        yield provisioned


@pytest.fixture
def provisioned_postgresql(
    postgresql_image: ProvisionedImage, addresses: Iterator[str], organization: Organization
) -> Iterator[ProvisionedHost]:
    """A provisioned server of Acme's with PostgreSQL."""
    with host_of(postgresql_image, next(addresses), organization) as provisioned:
        yield provisioned
