"""A certificate's worker is killed in the middle of any of its steps: another one goes on with the same order, and
visitors, and who else has values in the zone, do not notice."""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from threading import Event, Thread
from typing import NamedTuple

import pytest
from django.utils import timezone

from certificates.acme.client import Acme
from certificates.acme.keys import account_key
from certificates.actions import issue_certificate
from certificates.handshake import PORT, served_fingerprint
from certificates.kinds.issuing import IssueCertificate
from certificates.models import Certificate, Issuance, IssuanceStatus, Proof
from certificates.models import Status as CertificateStatus
from deploynix.celery import app
from jobs.models import Job, JobStep, Status
from jobs.reaper import reap
from organizations.models import Organization
from servers import managed
from servers.converge import converge
from servers.target import target_of
from sites import remote
from sites.models import Site
from tests import factories
from tests.lab.authorities import Pebble
from tests.lab.dns_servers import Served
from tests.lab.gates import AuthorityGate, Gate, NginxGate, ZoneGate
from tests.lab.names import Names
from tests.lab.orders import NAMES, RECORD, await_forgetting, dns_credential, log_of, values_at
from tests.lab.provisioned import ProvisionedHost, ProvisionedImage
from tests.lab.sites import Shop
from tests.lab.workers import Workers
from tests.peers import Redis, wait_until
from tools.targethost import Host, Lab

pytestmark = [pytest.mark.lab, pytest.mark.elsewhere, pytest.mark.django_db(transaction=True)]
STEPS = [step.name for step in IssueCertificate.steps]
FOREIGN = {"of somebody else"}
# By the step: which gate holds its worker up, and at what.
MOMENTS = {
    "order": ("authority", "/order-plz"),
    "prove": ("zone", "add"),
    "answer": ("authority", "/chalZ/"),
    "finalise": ("authority", "/finalize-order/"),
    "clean": ("zone", "remove"),
    "install": ("nginx", "ssl_certificate "),
    "confirm": ("nginx", "return 301 https:"),
}


class Place(NamedTuple):
    """A site whose certificate is to come through the gates."""

    shop: Shop
    site: Site
    gates: dict[str, Gate]
    directory_url: str


@pytest.fixture(scope="module")
def host(lab: Lab, addresses: Iterator[str], provisioned_image: ProvisionedImage) -> Iterator[Host]:
    host = provisioned_image.start(next(addresses))
    yield host
    host.stop()


@pytest.fixture(scope="module")
def nginx_gate(host: Host) -> NginxGate:
    return NginxGate(host)


@pytest.fixture(scope="module")
def crew(
    django_db_setup: None,
    broker: Redis,
    running_names: Names,
    running_pebble: Pebble,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Workers]:
    """Two workers for all tests: each kills one, and starts another for the next test."""
    with Workers(broker.url, tmp_path_factory.mktemp("crew")) as workers:
        workers.environment |= {
            "OUTBOUND_ALLOW": "127.0.0.0/8",
            "OUTBOUND_CA_BUNDLE": str(running_pebble.bundle),
            "DNS_RESOLVERS": running_names.resolver.address,
        }
        for _ in range(2):
            workers.start_worker()
        yield workers


@pytest.fixture
def provisioned_host(host: Host, provisioned_image: ProvisionedImage, organization: Organization) -> ProvisionedHost:
    """The same host for all tests, each of which has rows of its own."""
    return ProvisionedHost(provisioned_image.row(organization, host), host)


@pytest.fixture
def place(
    shop: Shop, names: Names, pebble: Pebble, nginx_gate: NginxGate, broker: Redis, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    site = factories.site(shop.server, domain=NAMES[0], username="shop", installed_at=timezone.now())
    remote.prepare(site)
    shop.root(f"mkdir -p {site.folder}/current && echo hello >{site.folder}/current/index.html")
    # Without what the test before has left there.
    converge(target_of(shop.server), managed.collect(shop.server))
    with AuthorityGate(pebble) as authority, ZoneGate(names.bind) as zone, app.connection_for_write(broker.url) as bell:
        monkeypatch.setattr(app, "send_task", partial(app.send_task, connection=bell))
        dns_credential(shop.owner, names.bind, server="127.0.0.1", port=str(zone.port))
        for value in FOREIGN:
            Served(names.bind).add(site.domain, RECORD, "TXT", value)
        yield Place(shop, site, {"authority": authority, "zone": zone, "nginx": nginx_gate}, authority.url)
        nginx_gate.open()


@contextmanager
def visited(site: Site) -> Iterator[set[object]]:
    """What visitors get, one after the other, as long as the block runs."""
    got: set[object] = set()
    is_over = Event()

    def visit() -> None:
        while not is_over.wait(0.05):
            connection = http.client.HTTPConnection(site.server.ip_address, timeout=10)
            try:
                connection.request("GET", "/", headers={"Host": site.domain})
                got.add(connection.getresponse().status)
            except (OSError, http.client.HTTPException) as error:
                got.add(repr(error))
            finally:
                connection.close()

    visitor = Thread(target=visit)
    visitor.start()
    try:
        yield got
    finally:
        is_over.set()
        visitor.join()


def kill_worker_of(job: Job, crew: Workers) -> None:
    """Another one has the job afterwards, in its next attempt."""
    job.refresh_from_db()
    crew.kill(int(job.worker.rpartition(":")[2]))
    crew.start_worker()
    # As if its last heartbeat were long ago.
    Job.objects.filter(pk=job.pk, attempt=job.attempt).update(heartbeat_at=timezone.now() - timedelta(minutes=1))
    reap()
    mine = Job.objects.filter(pk=job.pk, attempt=job.attempt + 1)
    wait_until(lambda: mine.exclude(worker=job.worker).exists(), 30, "another worker")


def orders_of(certificate: Certificate) -> list[str]:
    """Those that the authority has, whoever wrote them down."""
    account = certificate.account
    assert account
    return list(Acme(account.directory_url, account_key(account.private_key), account.url).orders())


def nginx(shop: Shop) -> str:
    """Says which one it is, and for how long it has been running."""
    shown = "MainPID,NRestarts,ActiveState,ActiveEnterTimestampMonotonic"
    return shop.root(f"/usr/sbin/nginx -t -q && systemctl show nginx --property={shown}")


@pytest.mark.parametrize("step", STEPS)
def test_a_worker_killed_in_the_middle_of_a_step(place: Place, crew: Workers, names: Names, step: str) -> None:
    shop, site = place.shop, place.site
    before, (gate_name, what) = nginx(shop), MOMENTS[step]
    gate = place.gates[gate_name]
    gate.hold(what)
    with visited(site) as statuses:
        certificate = issue_certificate(shop.owner, site=site, names=NAMES, directory_url=place.directory_url)
        job = certificate.job
        assert job
        running = JobStep.objects.filter(job=job, name=step, status=Status.RUNNING)
        wait_until(lambda: running.exists() and gate.is_holding(), 60, f"the middle of step {step}")
        kill_worker_of(job, crew)
        gate.open()
        wait_until(lambda: not Job.objects.open().filter(pk=job.pk).exists(), 60, "the end")
    job.refresh_from_db()
    assert (job.status, job.error, job.retries) == (Status.SUCCEEDED, "", 0), log_of(job)

    certificate.refresh_from_db()
    issuance = Issuance.objects.get()
    assert (certificate.status, certificate.current) == (CertificateStatus.ACTIVE, issuance)
    assert issuance.status == IssuanceStatus.ISSUED
    assert served_fingerprint(shop.server.ip_address, PORT, site.domain) == issuance.fingerprint
    assert orders_of(certificate) == [issuance.order_url]
    assert values_at(names.bind) == FOREIGN
    assert not Proof.objects.filter(removed_at=None).exists()
    assert statuses - {301} == {200}
    assert shop.visit(site)[0] == 301
    assert nginx(shop) == before
    assert "active" in before
    await_forgetting()
