"""A wildcard certificate from the click to the visitor, against certbot at the same authority with the same DNS.

certbot neither installs on another machine nor looks at what is served there. It is counted with what a script of its
user would do next: copy chain and key to the same server over SSH and reload nginx, in one connection; what it takes by
itself is given, too. Deploynix is counted until it has read its certificate back from the server by a handshake.
Either has its account at the authority before the first round.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench.authority import authority
from bench.certbot import PINNED, PROPAGATION_SECONDS, SHOWN_NAME, Certbot
from bench.install import command_of, install
from bench.report import Report, WrongAnswer, run_part
from tests.peers import wait_until
from tools.demo.parts import repository
from tools.processes import running
from tools.targethost import Host

if TYPE_CHECKING:
    from deploynix.actor import Actor
    from jobs.models import Job
    from servers.models import Server
    from sites.models import Site
    from tests.lab.authorities import Pebble
    from tests.lab.dns_servers import Bind

DOMAIN = "example.test"
NAMES = (DOMAIN, f"*.{DOMAIN}")
END_SECONDS = 120


def measure(report: Report, quick: bool) -> None:
    rounds = 1 if quick else 7
    report.about = {"rounds": rounds, "names": NAMES, "rival": PINNED}
    report.about["seconds that it waits for propagation"] = PROPAGATION_SECONDS
    with install():
        from bench.lab import provisioned
        from organizations.models import Role
        from tests import factories
        from tests.lab.orders import dns_credential

        actor = factories.actor(factories.organization(), Role.OWNER)
        with (
            authority() as (names, pebble),
            provisioned(actor.organization, 1) as (lab, [server]),
            certbot(names.bind, pebble) as theirs,
            running(command_of("worker"), Path(os.environ["DATA"]) / "worker.log"),
        ):
            dns_credential(actor, names.bind)
            ours, host = Ours(actor, deployed(actor, server, lab.gateway), pebble.url), lab.hosts()[0]
            ours.run()
            theirs.prepare(host)
            runs = [(ours.run(), theirs_on(theirs, host)) for _ in range(rounds)]
    tell(report, runs)


def tell(report: Report, runs: list[tuple[tuple[float, float], tuple[float, float]]]) -> None:
    served, ended = (statistics.median(ours[number] for ours, _ in runs) for number in (0, 1))
    obtained, copied = (statistics.median(theirs[number] for _, theirs in runs) for number in (0, 1))
    report.add("Deploynix, from click to served", served, "s")
    report.add("the same, the slowest", max(ours[0] for ours, _ in runs), "s")
    report.add("Deploynix, from click to the end of the job: visitors are sent to HTTPS, too", ended, "s")
    report.add("certbot certonly", obtained, "s")
    report.add("certbot certonly, copying and reloading", copied, "s")
    report.add("Deploynix against certbot and copying", served / copied, "times", "at most", 1.0)
    report.add("Deploynix against certonly alone", served / obtained, "times")


@contextmanager
def certbot(bind: "Bind", pebble: "Pebble") -> Iterator[Certbot]:
    with tempfile.TemporaryDirectory(prefix="deploynix-bench-") as folder:
        made = Certbot(Path(folder), NAMES, bind, pebble)
        made.install()
        yield made


def theirs_on(theirs: Certbot, host: Host) -> tuple[float, float]:
    """One round of certbot's, whose certificate must be the one that the server shows."""
    from certificates.handshake import PORT, served_fingerprint

    times = theirs.run(host)
    # This is not counted: nginx was told to reload, and nobody looks.
    wanted = theirs.fingerprint
    wait_until(lambda: served_fingerprint(host.ip, PORT, SHOWN_NAME) == wanted, 10, "certbot's certificate")
    return times


def deployed(actor: "Actor", server: "Server", address: str) -> "Site":
    """A static site on the server."""
    from sites.actions.deployments import deploy_site
    from sites.actions.sites import create_site

    with repository(address) as source:
        source.commit("one")
        site = create_site(actor, server=server, domain=DOMAIN, type="static", repository_url=source.url, branch="main")
        await_success(deploy_site(actor, site=site).job)
    return site


class Ours:
    """Certificates of the site, issued by actions and deleted again."""

    def __init__(self, actor: "Actor", site: "Site", directory_url: str) -> None:
        self._actor = actor
        self._site = site
        self._directory_url = directory_url

    def run(self) -> tuple[float, float]:
        """Seconds until it was read back from the server, and until the job was over."""
        from certificates.actions import delete_certificate, issue_certificate
        from certificates.models import Status

        called_at = time.time()
        certificate = issue_certificate(self._actor, site=self._site, names=NAMES, directory_url=self._directory_url)
        job = await_success(certificate.job)
        certificate.refresh_from_db()
        if certificate.status != Status.ACTIVE or certificate.served_at is None or job.finished_at is None:
            raise WrongAnswer(f"the certificate is {certificate.status}: {certificate.error}")
        await_success(delete_certificate(self._actor, certificate=certificate))
        return certificate.served_at.timestamp() - called_at, job.finished_at.timestamp() - called_at


def await_success(job: "Job | None") -> "Job":
    """The job at its end. Raises WrongAnswer where that is not a good one."""
    assert job
    wait_until(lambda: not is_open(job), END_SECONDS, job.label)
    if job.status != "succeeded":
        raise WrongAnswer(f"{job.label}: {job.status}: {job.error} {job.hint}")
    return job


def is_open(job: "Job") -> bool:
    job.refresh_from_db()
    return job.is_open


if __name__ == "__main__":
    run_part(measure)
