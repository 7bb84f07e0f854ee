"""Certificates on a real server: what a visitor who checks them gets, and what is left when they go."""

import http.client
import socket
import ssl
from contextlib import suppress
from threading import Event, Thread

import pytest
from django.test import override_settings
from django.utils import timezone

from certificates import handshake, installing
from certificates.actions import delete_certificate, upload_certificate
from certificates.challenge_files import put_challenge_file, remove_challenge_file
from certificates.configuration import FOLDER
from certificates.handshake import HandshakeFailed, served_leaf
from certificates.models import Certificate, Issuance, IssuanceStatus, Status
from deploynix.errors import Error
from jobs.actions import retry_job
from jobs.models import Job
from jobs.models import Status as JobStatus
from sites.actions.sites import delete_site, resume_site, suspend_site, update_site
from sites.models import Site
from tests.certificates.authority import Authority
from tests.lab.sites import Shop, log_of, run, succeeded
from tools.targethost import Lab

pytestmark = [pytest.mark.lab, pytest.mark.elsewhere, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def upload(shop: Shop, site: Site, authority: Authority, *names: str) -> tuple[Certificate, Job]:
    """Uploads one, and runs its job to the end."""
    chain, key = authority.issue(*(names or (site.domain,)))
    certificate = upload_certificate(shop.owner, site=site, chain=chain, private_key=key)
    job = run(certificate.job)
    certificate.refresh_from_db()
    return certificate, job


def connect(shop: Shop, name: str | None, context: ssl.SSLContext) -> ssl.SSLSocket:
    plain = socket.create_connection((shop.server.ip_address, 443), timeout=10)
    return context.wrap_socket(plain, server_hostname=name)


def visit(shop: Shop, authority: Authority, name: str, path: str = "/", host: str = "") -> tuple[int, str]:
    """As a visitor does who trusts the authority, and nobody else."""
    connection = http.client.HTTPConnection(name)
    connection.sock = connect(shop, name, ssl.create_default_context(cadata=authority.root))
    try:
        connection.request("GET", path, headers={"Host": host or name})
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def redirect_of(shop: Shop, name: str, path: str = "/") -> tuple[int, str | None]:
    connection = http.client.HTTPConnection(shop.server.ip_address, timeout=10)
    try:
        connection.request("GET", path, headers={"Host": name})
        response = connection.getresponse()
        return response.status, response.getheader("Location")
    finally:
        connection.close()


def files(shop: Shop) -> list[str]:
    return shop.root(f"ls {FOLDER} 2>/dev/null").split()


def test_an_uploaded_certificate_is_served_and_visitors_are_sent_there(shop: Shop, authority: Authority) -> None:
    site, repository = shop.static_site("hello", aliases=["*.alias.test", "open.other.test"])
    other, _ = shop.static_site("the other's")
    for each in (site, other):
        succeeded(shop.deploy(each))
    certificate, job = upload(shop, site, authority, site.domain, "*.alias.test")
    succeeded(job)
    assert (certificate.status, certificate.served_at is not None, certificate.error) == (Status.ACTIVE, True, "")
    assert "open.other.test is not in it" in log_of(job)
    assert "PRIVATE" not in log_of(job)
    rights = shop.root(f"stat -c '%a %U:%G' {FOLDER} {FOLDER}/*").splitlines()
    assert rights == ["700 root:root", "600 root:root", "600 root:root"]

    for name in (site.domain, "www.alias.test"):
        assert visit(shop, authority, name) == (200, "hello")
        assert redirect_of(shop, name, "/a?b=c") == (301, f"https://{name}/a?b=c")
    assert redirect_of(shop, "open.other.test") == (200, None)
    assert redirect_of(shop, other.domain) == (200, None)
    site.refresh_from_db()
    assert site.url == f"https://{site.domain}"
    assert other.url == f"http://{other.domain}"

    # Whatever has no certificate shows none, and least of all another's.
    for foreign in (other.domain, "open.other.test", "unknown.test", None):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with pytest.raises(ssl.SSLError):
            connect(shop, foreign, context)
    assert visit(shop, authority, site.domain, host=other.domain)[0] == 421

    modern = ssl.create_default_context(cadata=authority.root)
    modern.set_alpn_protocols(["h2", "http/1.1"])
    with connect(shop, site.domain, modern) as shown:
        assert (shown.version(), shown.selected_alpn_protocol()) == ("TLSv1.3", "h2")
    weak = ssl.create_default_context(cadata=authority.root)
    weak.maximum_version = ssl.TLSVersion.TLSv1_2
    weak.set_ciphers("AES128-SHA:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError):
        connect(shop, site.domain, weak)

    # Deploys go on, and look at what visitors get now.
    repository.commit({"index.html": "again"}, "Again")
    succeeded(shop.deploy(site))
    assert visit(shop, authority, site.domain) == (200, "again")
    succeeded(run(update_site(shop.owner, site=site, is_https_forced=False)))
    assert shop.visit(site) == (200, "again")
    assert visit(shop, authority, site.domain) == (200, "again")


def test_proofs_are_answered_whatever_the_site_does(shop: Shop, authority: Authority) -> None:
    site, _ = shop.static_site("hello")
    succeeded(shop.deploy(site))
    site.refresh_from_db()
    token, proof = "Zm9v_-" * 6, "Zm9v_-" * 6 + ".thumbprint"
    path = f"/.well-known/acme-challenge/{token}"
    put_challenge_file(site, name=site.domain, token=token, authorization=proof)
    assert shop.visit(site, path) == (200, proof)
    succeeded(upload(shop, site, authority)[1])
    assert shop.visit(site, path) == (200, proof)
    assert redirect_of(shop, site.domain)[0] == 301
    succeeded(run(suspend_site(shop.owner, site=site)))
    assert shop.visit(site, path) == (200, proof)
    assert visit(shop, authority, site.domain, path) == (200, proof)
    status, page = visit(shop, authority, site.domain)
    assert (status, "suspended" in page) == (503, True)
    succeeded(run(resume_site(shop.owner, site=site)))
    assert visit(shop, authority, site.domain) == (200, "hello")

    for _ in range(2):
        remove_challenge_file(site, token=token)
    assert shop.visit(site, path)[0] == 404
    assert shop.root("ls -A /var/lib/deploynix-challenges") == ""
    with pytest.raises(Error, match=r"does not answer for unknown\.test"):
        put_challenge_file(site, name="unknown.test", token=token, authorization=proof)


def test_a_release_that_fails_only_over_https_is_put_back(shop: Shop, authority: Authority) -> None:
    repository = shop.repository({"index.php": "<?php echo 'one';"})
    site = shop.site(repository, type="php")
    succeeded(shop.deploy(site))
    succeeded(upload(shop, site, authority)[1])
    page = "<?php if (($_SERVER['HTTPS'] ?? '') === 'on') { http_response_code(500); } echo 'two';"
    repository.commit({"index.php": page}, "Breaks over HTTPS")
    job = shop.deploy(site)
    assert (job.status, job.error) == (JobStatus.FAILED, "The health check failed: GET / answered 500.")
    assert visit(shop, authority, site.domain) == (200, "one")


def test_a_certificate_is_replaced_by_one_for_the_same_names_and_removed(shop: Shop, authority: Authority) -> None:
    site, _ = shop.static_site("hello")
    succeeded(shop.deploy(site))
    first, job = upload(shop, site, authority)
    succeeded(job)
    before, served = files(shop), served_leaf(shop.server.ip_address, 443, site.domain).fingerprint
    second, job = upload(shop, site, authority)
    succeeded(job)
    assert second.pk == first.pk
    assert second.current
    now = served_leaf(shop.server.ip_address, 443, site.domain)
    assert (now.fingerprint, now.not_after) == (second.current.fingerprint, second.current.not_after)
    assert served != now.fingerprint
    assert len(files(shop)) == 2
    assert set(files(shop)).isdisjoint(before)
    statuses = dict(second.issuances.values_list("fingerprint", "status"))
    assert statuses == {served: IssuanceStatus.SUPERSEDED, now.fingerprint: IssuanceStatus.ISSUED}
    assert visit(shop, authority, site.domain) == (200, "hello")

    succeeded(run(delete_certificate(shop.owner, certificate=second)))
    assert shop.visit(site) == (200, "hello")
    assert files(shop) == []
    with pytest.raises(HandshakeFailed, match="nothing listens there"):
        served_leaf(shop.server.ip_address, 443, site.domain)
    # The site goes, and takes its certificate with it.
    succeeded(upload(shop, site, authority)[1])
    assert len(files(shop)) == 2
    succeeded(run(delete_site(shop.owner, site=site)))
    assert shop.root(f"find /etc /srv -name '*{site.username}*'; ls {FOLDER} 2>/dev/null") == ""
    assert not Certificate.objects.exists()


def test_a_key_that_nginx_refuses_breaks_nothing(shop: Shop, authority: Authority) -> None:
    site, _ = shop.static_site("hello")
    succeeded(shop.deploy(site))

    def broken() -> Job:
        chain, key = authority.issue(site.domain)
        certificate = upload_certificate(shop.owner, site=site, chain=chain, private_key=key)
        stranger = authority.issue(site.domain)[1]
        newest = certificate.issuances.latest("id")
        Issuance.objects.filter(pk=newest.pk).update(private_key=stranger)
        job = run(certificate.job)
        assert (job.status, job.error) == (JobStatus.FAILED, "The configuration was not changed: `nginx -t` failed.")
        assert not any(line in log_of(job) for line in stranger.splitlines())
        Issuance.objects.filter(pk=newest.pk).update(private_key=key)
        return job

    broken()
    certificate = Certificate.objects.get()
    assert (certificate.status, certificate.current, files(shop)) == (Status.FAILED, None, [])
    assert "`nginx -t` failed" in certificate.error
    assert shop.visit(site) == (200, "hello")
    succeeded(upload(shop, site, authority)[1])
    served = served_leaf(shop.server.ip_address, 443, site.domain).fingerprint

    job = broken()
    certificate.refresh_from_db()
    assert certificate.current
    assert (certificate.status, certificate.current.fingerprint) == (Status.ACTIVE, served)
    assert served_leaf(shop.server.ip_address, 443, site.domain).fingerprint == served
    assert visit(shop, authority, site.domain) == (200, "hello")
    # Once it is mended the same job goes on.
    retry_job(shop.owner, job=job)
    succeeded(run(job))
    assert served_leaf(shop.server.ip_address, 443, site.domain).fingerprint != served


def test_no_visitor_is_sent_to_what_was_not_seen_to_work(
    shop: Shop, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, _ = shop.static_site("hello")
    succeeded(shop.deploy(site))
    shop.root("nft add table inet wall; nft add chain inet wall input '{ type filter hook input priority -10; }'")
    shop.root("nft add rule inet wall input iif != lo tcp dport 443 reject with tcp reset")
    monkeypatch.setattr(installing, "PATIENCE", 0.0)
    certificate, job = upload(shop, site, authority)
    while job.status == JobStatus.QUEUED:
        Job.objects.filter(pk=job.pk).update(run_after=timezone.now())
        run(job)
    certificate.refresh_from_db()
    assert "shows no certificate" in job.error
    assert (certificate.status, certificate.served_at) == (Status.FAILED, None)
    assert shop.visit(site) == (200, "hello")
    shop.root("nft delete table inet wall")
    retry_job(shop.owner, job=job)
    succeeded(run(job))
    assert redirect_of(shop, site.domain)[0] == 301
    assert visit(shop, authority, site.domain) == (200, "hello")


@pytest.mark.parametrize("slowly", [True, False])
def test_nobody_waits_for_a_machine_that_never_gets_to_the_point(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, slowly: bool
) -> None:
    monkeypatch.setattr(handshake, "HANDSHAKE_SECONDS", 1.0)
    ended = Event()

    def answer(listener: socket.socket) -> None:
        peer, _ = listener.accept()
        with peer, suppress(OSError):
            # The head of a record of TLS that is longer than what ever comes.
            peer.sendall(b"\x16\x03\x03\x40\x00")
            for _ in range(100 if slowly else 1):
                ended.wait(0.1 if slowly else 10)
                peer.sendall(b"\0")

    with socket.create_server((lab.gateway, 0)) as listener:
        thread = Thread(target=answer, args=(listener,))
        thread.start()
        with pytest.raises(HandshakeFailed, match="it does not answer"):
            served_leaf(lab.gateway, listener.getsockname()[1], "shop.example.test")
        ended.set()
        thread.join()


def test_a_handshake_goes_only_where_a_server_can_be(lab: Lab) -> None:
    with pytest.raises(Error, match="not the address of a server"):
        served_leaf("127.0.0.1", 443, "shop.example.test")
    with override_settings(SSH_ALLOW_PRIVATE=False), pytest.raises(Error, match="private address"):
        served_leaf(lab.gateway, 443, "shop.example.test")
