"""Uploading a certificate: who may, what is refused, and who is told before it ends."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from audit.models import AuditEvent
from certificates.actions import upload_certificate
from certificates.expiry import warn_of_expiry
from certificates.kinds.installing import InstallCertificate
from certificates.models import Certificate, Issuance, Source, Status
from deploynix.actor import Actor
from deploynix.errors import Conflict, Denied, Invalid
from jobs.models import Job
from jobs.models import Status as JobStatus
from jobs.runner import run_job
from servers.models import Server
from sites.models import Site
from sites.models import Status as SiteStatus
from tests import factories
from tests.certificates.authority import Authority

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def server(owner: Actor) -> Server:
    return factories.server(owner.organization, provisioned_at=timezone.now())


@pytest.fixture
def site(server: Server) -> Site:
    return factories.site(server, domain="shop.example", installed_at=timezone.now())


def uploaded(owner: Actor, site: Site, authority: Authority, *names: str, **options: Any) -> Certificate:
    chain, key = authority.issue(*(names or (site.domain,)), **options)
    return upload_certificate(owner, site=site, chain=chain, private_key=key)


def served(certificate: Certificate) -> Certificate:
    """As its job leaves it, and with the job at its end."""
    Job.objects.filter(pk=certificate.job_id).update(status=JobStatus.SUCCEEDED)
    certificate.current = certificate.issuances.latest("id")
    certificate.status, certificate.served_at = Status.ACTIVE, timezone.now()
    certificate.save()
    return certificate


def test_uploading_stores_it_and_queues_its_installation(owner: Actor, site: Site, authority: Authority) -> None:
    chain, key = authority.issue("shop.example", "*.shop.example")
    certificate = upload_certificate(owner, site=site, chain=chain, private_key=key)
    assert (certificate.source, certificate.status, certificate.current) == (Source.UPLOADED, Status.PENDING, None)
    assert certificate.names == ["shop.example", "*.shop.example"]
    issuance = certificate.issuances.get()
    assert (issuance.chain, issuance.private_key, issuance.issuer) == (chain, key, "Test Intermediate")
    assert certificate.job
    assert (certificate.job.kind, certificate.job.lane) == ("install_certificate", certificate.lane)
    assert certificate.job.params == {"issuance": issuance.pk}
    event = AuditEvent.objects.get(event="certificate.uploaded")
    assert event.changes == {"fingerprint": [None, issuance.fingerprint]}
    stored = Issuance.objects.extra(select={"raw": "private_key"}).values_list("raw", flat=True).get()
    assert "PRIVATE" not in str(stored)


def test_one_for_the_same_names_takes_the_place_of_the_other(owner: Actor, site: Site, authority: Authority) -> None:
    first = served(uploaded(owner, site, authority, "shop.example", "www.shop.example"))
    before = first.current
    second = uploaded(owner, site, authority, "www.shop.example", "shop.example")
    assert (second.pk, second.status, second.current) == (first.pk, Status.ACTIVE, before)
    assert second.issuances.count() == 2
    assert uploaded(owner, site, authority, "shop.example").pk != first.pk


def test_what_is_refused_changes_nothing(
    owner: Actor, member: Actor, outsider: Actor, site: Site, authority: Authority
) -> None:
    with pytest.raises(Denied):
        uploaded(member, site, authority)
    with pytest.raises(Invalid, match=r"It holds for other\.example, but the names of the site are shop\.example"):
        uploaded(owner, site, authority, "other.example")
    with pytest.raises(Invalid):
        upload_certificate(owner, site=site, chain="junk", private_key="junk")
    Site.objects.update(installed_at=None)
    with pytest.raises(Conflict, match="not on its server yet"):
        uploaded(owner, site, authority)
    Site.objects.update(status=SiteStatus.DELETING)
    with pytest.raises(Conflict, match="being removed"):
        uploaded(owner, site, authority)
    assert not Certificate.objects.exists()
    assert not Job.objects.exists()


def test_a_job_that_fails_says_so_at_the_certificate(owner: Actor, site: Site, authority: Authority) -> None:
    certificate = uploaded(owner, site, authority)
    assert certificate.job
    Issuance.objects.all().delete()
    run_job(certificate.job.pk)
    certificate.refresh_from_db()
    assert (certificate.status, certificate.error) == (Status.FAILED, "The certificate has been deleted.")


def warned(at: timedelta) -> list[str]:
    """What is mailed when so much time has passed."""
    moment, before = timezone.now() + at, len(mail.outbox)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "now", lambda: moment)
        for _ in range(2):
            warn_of_expiry()
        for job in Job.objects.filter(kind="warn_of_certificate_expiry", status=JobStatus.QUEUED):
            run_job(job.pk)
    return [message.subject.partition("] ")[2] for message in mail.outbox[before:]]


def test_people_are_told_before_an_upload_ends(owner: Actor, site: Site, authority: Authority) -> None:
    served(uploaded(owner, site, authority, days=90))
    day = timedelta(days=1)
    what = "The certificate of shop.example"
    assert warned(50 * day) == []
    assert warned(61 * day) == [f"{what} expires in 30 days"]
    assert warned(62 * day) == []
    assert warned(84 * day) == [f"{what} expires in 7 days"]
    assert warned(89.5 * day) == [f"{what} expires in 1 day"]
    assert warned(91 * day) == [f"{what} has expired"]
    assert warned(92 * day) == []
    assert mail.outbox[0].to == ["owner@acme.test"]
    assert "Upload a new one" in str(mail.outbox[0].body)


def test_one_that_is_made_for_a_short_time_is_warned_of_late(owner: Actor, site: Site, authority: Authority) -> None:
    served(uploaded(owner, site, authority, begin=timezone.now() - timedelta(hours=1), days=10))
    assert warned(timedelta(0)) == []
    assert warned(timedelta(days=4)) == ["The certificate of shop.example expires in 7 days"]


def test_nobody_is_warned_of_what_was_replaced(owner: Actor, site: Site, authority: Authority) -> None:
    served(uploaded(owner, site, authority, days=20))
    moment = timezone.now() + timedelta(days=15)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "now", lambda: moment)
        warn_of_expiry()
    waiting = Job.objects.get(kind="warn_of_certificate_expiry")
    replaced = served(uploaded(owner, site, authority, days=90))
    assert replaced.job
    assert replaced.alarm == "expires in 7 days"
    InstallCertificate().on_succeeded(replaced.job)
    Job.objects.filter(pk=waiting.pk).update(run_after=timezone.now())
    run_job(waiting.pk)
    assert mail.outbox == []
    assert warned(timedelta(days=15)) == []
    Certificate.objects.update(source=Source.ACME)
    assert warned(timedelta(days=89)) == []
