"""Renewals as the authority wants them: when, how often it is asked, and what an order takes the place of."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from certificates import actions
from certificates.accounts import account_at
from certificates.acme.directories import DIRECTORIES, Directory
from certificates.models import Account, Certificate, Issuance
from deploynix.actor import Actor
from domains import lookup
from jobs.models import Job
from tests import factories
from tests.lab.ari import Ari
from tests.lab.authorities import Pebble
from tests.lab.dns_servers import Served
from tests.lab.names import Names
from tests.lab.orders import certificate as ordered_certificate
from tests.lab.orders import dns_credential, log_of, ordered, run, values_at
from tests.peers import wait_until

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]
DAY = timedelta(days=1)


@pytest.fixture
def ari(settings: Settings) -> Iterator[Ari]:
    with Ari() as server:
        settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]
        settings.OUTBOUND_CA_BUNDLE = str(server.bundle)
        yield server


@pytest.fixture
def certificate(owner: Actor, names: Names, ari: Ari) -> Certificate:
    account = account_at(owner.organization, ari.url)
    Account.objects.filter(pk=account.pk).update(url=f"{ari.base}/account")
    site = factories.site(factories.server(owner.organization), domain="example.test")
    row = factories.certificate(site, account=account)
    now = timezone.now()
    Issuance.objects.filter(pk=row.current_id).update(
        account=account, ari_id="key.serial", not_before=now - 30 * DAY, not_after=now + 60 * DAY
    )
    Certificate.objects.filter(pk=row.pk).update(ask_at=now)
    row.refresh_from_db()
    return row


def asked(certificate: Certificate) -> Certificate:
    assert actions.ask_for_due_renewals() == 1
    job = run(Job.objects.open().get())
    assert job.status == "succeeded", (job.error, log_of(job))
    certificate.refresh_from_db()
    return certificate


def test_it_is_renewed_in_the_window_and_asked_about_when_the_authority_wants(
    certificate: Certificate, ari: Ari
) -> None:
    begin, end = timezone.now() + DAY, timezone.now() + 2 * DAY
    ari.window = {"start": begin.isoformat(), "end": end.isoformat()}
    asked(certificate)
    assert ari.asked == ["key.serial"]
    assert certificate.renew_at
    assert begin <= certificate.renew_at <= end
    assert certificate.ask_at
    assert timedelta(minutes=119) < certificate.ask_at - timezone.now() < timedelta(minutes=121)


def test_a_window_that_has_passed_is_now(certificate: Certificate, ari: Ari) -> None:
    """So an authority has everything renewed that it is about to revoke."""
    ari.window = {"start": "2020-01-01T00:00:00Z", "end": "2020-01-02T00:00:00Z"}
    asked(certificate)
    assert certificate.renew_at
    assert certificate.renew_at <= timezone.now()
    assert actions.renew_due_certificates() == 1


def test_an_answer_that_makes_no_sense_leaves_two_thirds_of_the_life(certificate: Certificate, ari: Ari) -> None:
    ari.window = {"start": "soon"}
    asked(certificate)
    assert certificate.current
    assert certificate.current.not_before
    assert certificate.renew_at
    assert 58 * DAY < certificate.renew_at - certificate.current.not_before <= 60 * DAY


def test_an_order_names_what_it_replaces_once(certificate: Certificate, owner: Actor, ari: Ari) -> None:
    """What another order has named before is ordered without it."""
    run(ordered(owner, certificate))
    assert ari.replaced[:2] == ["key.serial", None]


def test_a_domain_that_names_other_authorities_is_not_ordered(
    certificate: Certificate, owner: Actor, names: Names, ari: Ari
) -> None:
    Served(names.bind).add("example.test", "example.test", "CAA", '0 issue "other.example"')
    # For a second the resolver may remember that there was none.
    wait_until(lambda: bool(lookup.caa_of("example.test").properties), 5, "the resolver")
    job = run(ordered(owner, certificate))
    assert job.status == "failed"
    assert 'its CAA records say issue "other.example"' in job.error
    assert "goes by ari.example" in job.hint
    assert ari.replaced == []


def test_a_renewal_is_rehearsed_at_the_staging_directory(
    owner: Actor, names: Names, pebble: Pebble, monkeypatch: pytest.MonkeyPatch
) -> None:
    dns_credential(owner, names.bind)
    with Pebble(pebble.resolver) as practice:
        for directory in (
            Directory("pebble", "Pebble", pebble.url, staging="practice"),
            Directory("practice", "Practice", practice.url),
        ):
            monkeypatch.setitem(DIRECTORIES, directory.key, directory)
        row = ordered_certificate(owner, pebble)
        Certificate.objects.filter(pk=row.pk).update(rehearse_at=timezone.now(), status="active")
        assert actions.rehearse_due_renewals() == 1
        job = run(Job.objects.open().get())
        assert job.status == "succeeded", (job.error, log_of(job))
    issuance = Issuance.objects.get()
    assert (issuance.is_rehearsal, issuance.account.directory_url if issuance.account else "") == (True, practice.url)
    row.refresh_from_db()
    assert (row.current, row.rehearsal_error, row.rehearse_at) == (None, "", None)
    assert row.rehearsed_at
    assert values_at(names.bind) == set()
    assert not Account.objects.exclude(directory_url=practice.url).exclude(url="").exists()


def test_a_rehearsal_that_fails_is_kept_for_the_alarm(
    owner: Actor, names: Names, pebble: Pebble, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = Directory("pebble", "Pebble", pebble.url, staging="pebble")
    monkeypatch.setitem(DIRECTORIES, "pebble", directory)
    row = ordered_certificate(owner, pebble)
    Certificate.objects.filter(pk=row.pk).update(rehearse_at=timezone.now(), status="active")
    actions.rehearse_due_renewals()
    assert run(Job.objects.open().get()).status == "failed"
    row.refresh_from_db()
    assert "No DNS provider is connected" in row.rehearsal_error
    assert (row.status, row.failures) == ("active", 0)
