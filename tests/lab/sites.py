"""Sites on a provisioned host: created, deployed and visited as their users would."""

import http.client
import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from deploynix.actor import Actor
from jobs.models import Job, JobLog, Status
from jobs.runner import run_job
from servers import ssh
from servers.target import target_of
from sites.actions.deployments import deploy_site, rollback_site
from sites.actions.sites import create_site
from sites.models import Deployment, Release, Site
from tests.lab.git_repository import Files, Repository
from tests.lab.git_server import GitServer
from tests.lab.provisioned import ProvisionedHost

_numbers = itertools.count(1)

PHP_PAGE = """<?php
require __DIR__ . '/../lib/part.php';
$inside = __DIR__;
$root = $_SERVER['DOCUMENT_ROOT'];
include $root . '/other.php';
echo basename(dirname($inside)), ' ', VERSION, ' ', part(), ' ', $other, ' ', posix_getpwuid(posix_geteuid())['name'];
"""


def php_files(version: str) -> dict[str, str]:
    """A page of three files, each of which says which version it is."""
    return {
        "public/index.php": PHP_PAGE.replace("VERSION", f"'{version}'"),
        "public/other.php": f"<?php $other = '{version}';",
        "lib/part.php": f"<?php function part() {{ return '{version}'; }}",
    }


class Shop:
    """One server, its owner, and the Git server that its sites come from."""

    def __init__(self, owner: Actor, provisioned: ProvisionedHost, git_server: GitServer) -> None:
        self.owner = owner
        self.server, self.host = provisioned
        self.git = git_server

    def repository(self, files: Files) -> Repository:
        return self.git.create_repository(f"repository-{next(_numbers)}", files)

    def site(self, repository: Repository, **fields: Any) -> Site:
        """A site of a private repository, which knows its deploy key."""
        values: dict[str, Any] = {"domain": f"shop{next(_numbers)}.example.test", "repository_url": repository.ssh_url}
        site = create_site(self.owner, server=self.server, **values | fields)
        repository.add_deploy_key(site.deploy_public_key)
        return site

    def static_site(self, text: str = "one", **fields: Any) -> tuple[Site, Repository]:
        repository = self.repository({"index.html": text})
        return self.site(repository, **fields), repository

    def deploy(self, site: Site, ref: str | None = None) -> Job:
        return ended(deploy_site(self.owner, site=site, ref=ref))

    def rollback(self, site: Site, release: Release | None = None) -> Job:
        return ended(rollback_site(self.owner, site=site, release=release))

    def visit(self, site: Site, path: str = "/", host: str = "") -> tuple[int, str]:
        connection = http.client.HTTPConnection(self.server.ip_address, timeout=10)
        try:
            connection.request("GET", path, headers={"Host": host or site.domain})
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def root(self, command: str) -> str:
        """What a shell command says that root runs on the server."""
        return ssh.run(target_of(self.server), command, check=False).output.decode()

    def releases_on_disk(self, site: Site) -> list[str]:
        return self.root(f"ls {site.folder}/releases").split()


def ended(deployment: Deployment) -> Job:
    assert deployment.job
    return run(deployment.job)


def run(job: Job | None) -> Job:
    """Runs the job to its end, as a worker does."""
    assert job
    run_job(job.pk)
    job.refresh_from_db()
    return job


def succeeded(job: Job) -> Job:
    assert job.status == Status.SUCCEEDED, f"{job.error} {job.hint}\n{log_of(job)}"
    return job


def log_of(job: Job) -> str:
    return "".join(JobLog.objects.filter(job=job).values_list("text", flat=True))


@pytest.fixture
def shop(
    transactional_db: None, owner: Actor, provisioned_host: ProvisionedHost, git_server: GitServer
) -> Iterator[Shop]:
    shop = Shop(owner, provisioned_host, git_server)
    yield shop
    ssh.close_connections(target_of(shop.server))
