"""Target hosts that the project has provisioned. It is done once, and kept as an image until what does it changes."""

import json
from collections.abc import Iterator
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
from servers.models import Server
from servers.models import Status as ServerStatus
from tests import factories
from tools.targethost import Host, Lab
from tools.targethost.images import locked

IMAGE = "provisioned"
# Trees that differ, for example two branches, may be tested side by side: each has an image of its own.
KEPT_IMAGES = 3
CHOICES: dict[str, Any] = {"php_version": "8.2", "database_type": "mariadb"}
# What of a server's row belongs to the image, as its key is on the disk.
KEPT = ("private_key", "public_key", "php_version", "database_type", "operating_system")


class ProvisionedHost(NamedTuple):
    server: Server
    host: Host


class ProvisionedImage:
    """An image of a provisioned server: Debian 12, PHP 8.2, MariaDB. `record` is what its row has to say."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.name = f"{IMAGE}-{self._stamp()}"
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
        with locked(self.lab.cache / f"{IMAGE}.lock"):
            if self._file.exists():
                return
            host = self.lab.start(f"host-{ip.rpartition('.')[2]}", ip)
            try:
                with blocker.unblock():
                    record = provision_once(host)
                host.snapshot(self.name)
            finally:
                host.stop()
            self._file.touch(0o600)
            self._file.write_text(json.dumps(record))
            self._remove_old()

    def _remove_old(self) -> None:
        files = sorted(self.lab.cache.glob(f"{IMAGE}-*.json"), key=lambda file: file.stat().st_mtime)
        for file in files[:-KEPT_IMAGES]:
            file.unlink()
            self.lab.images.remove(file.stem)

    def _stamp(self) -> str:
        """Changes with whatever makes the image: the base image, and the code that provisions."""
        digest = sha256((self.lab.images.names / "base").readlink().name.encode())
        folder = Path(servers.__file__).parent
        for file in sorted(folder.rglob("*")):
            if file.is_file() and file.suffix not in (".pyc", ".html") and "migrations" not in file.parts:
                digest.update(file.read_bytes())
        return digest.hexdigest()[:12]


def provision_once(host: Host) -> dict[str, str]:
    """Provisions the host for an organization that is gone afterwards; what its row has to say."""
    organization = factories.organization("Image")
    actor = factories.actor(organization, Role.OWNER)
    try:
        server, job = provision(actor, host)
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
        **CHOICES | choices,
    )
    job = Job.objects.about(server).get()
    run_job(job.pk)
    job.refresh_from_db()
    server.refresh_from_db()
    return server, job


@pytest.fixture(scope="session")
def provisioned_image(
    lab: Lab, addresses: Iterator[str], django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> ProvisionedImage:
    image = ProvisionedImage(lab)
    image.make(next(addresses), django_db_blocker)
    return image


@pytest.fixture
def provisioned_host(
    provisioned_image: ProvisionedImage, addresses: Iterator[str], organization: Organization
) -> Iterator[ProvisionedHost]:
    """A provisioned server of Acme's, and the host that it is; thrown away after the test."""
    host = provisioned_image.start(next(addresses))
    yield ProvisionedHost(provisioned_image.row(organization, host), host)
    host.stop()
