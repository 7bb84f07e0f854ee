"""Certificates from the action to the visitor: issued by an authority, installed on a server, and seen served."""

from datetime import timedelta

import pytest
from django.utils import timezone

from certificates import actions, installing
from certificates.handshake import PORT, served_fingerprint
from certificates.kinds.issuing import IssueCertificate
from certificates.models import Certificate, Issuance, IssuanceStatus, Status
from jobs.models import Job, JobStep
from sites.models import Site
from tests.lab.authorities import Caddy, Pebble
from tests.lab.dns_servers import Served
from tests.lab.names import Names
from tests.lab.orders import dns_credential, log_of, run, values_at
from tests.lab.sites import Shop, succeeded

pytestmark = [pytest.mark.lab, pytest.mark.elsewhere, pytest.mark.django_db(transaction=True)]


def served(shop: Shop, name: str) -> str:
    return served_fingerprint(shop.server.ip_address, PORT, name)


def site_of(shop: Shop, domain: str) -> Site:
    site, _ = shop.static_site("one", domain=domain)
    succeeded(shop.deploy(site))
    site.refresh_from_db()
    return site


def ended(job: Job | None) -> Job:
    assert job
    run(job)
    assert job.status == "succeeded", (job.error, job.hint, log_of(job))
    return job


def test_issued_served_renewed_and_revoked(
    shop: Shop, names: Names, caddy: Caddy, monkeypatch: pytest.MonkeyPatch
) -> None:
    dns_credential(shop.owner, names.bind)
    site = site_of(shop, "example.test")
    wildcard = ["example.test", "*.example.test"]
    certificate = actions.issue_certificate(shop.owner, site=site, names=wildcard, directory_url=caddy.url)
    ended(certificate.job)
    certificate.refresh_from_db()
    first = certificate.current
    assert first
    assert (certificate.status, certificate.challenge) == (Status.ACTIVE, "dns-01")
    assert served(shop, "example.test") == first.fingerprint
    assert first.not_before
    assert first.not_after
    assert certificate.renew_at
    # Of 72 hours: at two thirds, or up to a sixtieth of the life earlier.
    life = first.not_after - first.not_before
    assert life * 0.64 < certificate.renew_at - first.not_before < life * 0.67
    assert values_at(names.bind) == set()

    # As a worker leaves it that is killed right after the signing: it is renewed all the same.
    assert certificate.job
    Certificate.objects.update(renew_at=None)
    JobStep.objects.filter(job=certificate.job, name="finalise").update(status="queued")
    Job.objects.filter(pk=certificate.job.pk).update(status="queued")
    ended(certificate.job)
    certificate.refresh_from_db()
    assert certificate.issuances.count() == 1
    assert certificate.renew_at

    later = certificate.renew_at + timedelta(minutes=1)
    assert actions.renew_due_certificates() == 0
    with monkeypatch.context() as clock:
        clock.setattr(timezone, "now", lambda: later)
        assert actions.renew_due_certificates() == 1
    job = Job.objects.open().get()
    Job.objects.update(run_after=job.created_at - timedelta(days=4))
    ended(job)
    certificate.refresh_from_db()
    second = certificate.current
    assert second
    assert second.pk != first.pk
    assert served(shop, "example.test") == second.fingerprint
    assert Issuance.objects.get(pk=first.pk).status == IssuanceStatus.SUPERSEDED
    assert certificate.renew_at > later - timedelta(hours=1)

    ended(actions.revoke_certificate(shop.owner, certificate=certificate, reason="superseded"))
    certificate.refresh_from_db()
    assert certificate.status == Status.REVOKED
    assert not Certificate.objects.exclude(renew_at=None).exists()
    assert Issuance.objects.get(pk=second.pk).status == IssuanceStatus.REVOKED
    assert second.fingerprint not in shop.root("ls /etc/nginx/certificates 2>/dev/null || true")
    assert shop.visit(site) == (200, "one")
    assert actions.delete_certificate(shop.owner, certificate=certificate) is None


def test_by_a_file_on_the_server(shop: Shop, names: Names, pebble: Pebble) -> None:
    Served(names.bind).add("example.test", "www.example.test", "A", shop.server.ip_address)
    site = site_of(shop, "www.example.test")
    certificate = actions.issue_certificate(shop.owner, site=site, directory_url=pebble.url)
    ended(certificate.job)
    certificate.refresh_from_db()
    assert (certificate.status, certificate.challenge) == (Status.ACTIVE, "http-01")
    assert certificate.current
    assert served(shop, "www.example.test") == certificate.current.fingerprint
    assert shop.root("ls /var/lib/deploynix-challenges") == ""
    serial = certificate.current.serial
    assert pebble.status_of(serial) == "Valid"
    ended(actions.revoke_certificate(shop.owner, certificate=certificate))
    assert pebble.status_of(serial) == "Revoked"


def test_what_was_issued_and_not_served_is_not_ordered_again(
    shop: Shop, names: Names, pebble: Pebble, monkeypatch: pytest.MonkeyPatch
) -> None:
    dns_credential(shop.owner, names.pdns)
    site = site_of(shop, "pdns.test")
    with monkeypatch.context() as fault:
        # A firewall of the server's provider, say: nobody reaches the port.
        fault.setattr(installing, "PORT", 1)
        fault.setattr(installing, "PATIENCE", 0.0)
        fault.setattr(IssueCertificate, "max_retries", 0)
        certificate = actions.issue_certificate(
            shop.owner, site=site, challenge="dns-01", directory_url=pebble.url, key_type="rsa"
        )
        assert certificate.job
        assert run(certificate.job).status == "failed"
    certificate.refresh_from_db()
    assert (certificate.status, certificate.failures) == (Status.FAILED, 1)
    ended(actions.renew_certificate(shop.owner, certificate=certificate))
    certificate.refresh_from_db()
    assert (certificate.status, certificate.failures) == (Status.ACTIVE, 0)
    assert served(shop, "pdns.test") == Issuance.objects.get().fingerprint


def test_deleting_takes_it_off_the_server(shop: Shop, names: Names, pebble: Pebble) -> None:
    dns_credential(shop.owner, names.pdns)
    site = site_of(shop, "pdns.test")
    certificate = actions.issue_certificate(
        shop.owner, site=site, challenge="dns-01", directory_url=pebble.url, key_type="rsa"
    )
    ended(certificate.job)
    assert shop.visit(site)[0] == 301
    ended(actions.delete_certificate(shop.owner, certificate=certificate))
    assert not Certificate.objects.exists()
    assert shop.visit(site) == (200, "one")
    assert shop.root("ls /etc/nginx/certificates 2>/dev/null || true") == ""
