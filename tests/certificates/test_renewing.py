"""When certificates are renewed, rehearsed and asked about, and who is told when that goes wrong: on a clock of the
test's own."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.utils import timezone

from audit.models import AuditEvent
from certificates import actions, renewal
from certificates.accounts import account_at
from certificates.acme.directories import DIRECTORIES
from certificates.acme.objects import Window
from certificates.actions.issuing import ISSUE
from certificates.actions.proofs import CLEAN
from certificates.actions.renewing import ASK, REHEARSE
from certificates.alarms import raise_alarms
from certificates.kinds.issuing import IssueCertificate
from certificates.metrics import metrics
from certificates.models import Certificate, Issuance, Proof, Status
from deploynix.actor import Actor
from deploynix.errors import Error
from jobs.actions import cancel_job
from jobs.models import Job
from jobs.models import Status as JobStatus
from jobs.runner import run_job
from tests import factories

pytestmark = pytest.mark.django_db
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


class Clock:
    def __init__(self) -> None:
        self.moment = BEGIN

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(timezone, "now", clock)
    return clock


@pytest.fixture
def certificate(owner: Actor) -> Certificate:
    """One of ninety days, which is served."""
    account = account_at(owner.organization, DIRECTORIES["letsencrypt"].url)
    site = factories.site(factories.server(owner.organization), domain="shop.example", installed_at=BEGIN)
    row = factories.certificate(site, account=account, status=Status.ACTIVE, served_at=BEGIN)
    Issuance.objects.filter(pk=row.current_id).update(
        account=account, not_before=BEGIN, not_after=BEGIN + 90 * DAY, ari_id="a.b"
    )
    row.refresh_from_db()
    return row


def jobs(kind: str) -> list[Job]:
    return list(Job.objects.filter(kind=kind).order_by("pk"))


def test_at_two_thirds_of_the_life_or_a_little_earlier(certificate: Certificate) -> None:
    assert certificate.current
    moments = [renewal.at_two_thirds(certificate.current) for _ in range(200)]
    assert BEGIN + 58.5 * DAY <= min(moments) < max(moments) <= BEGIN + 60 * DAY
    assert max(moments) - min(moments) > DAY


def test_in_the_window_that_the_authority_names(clock: Clock) -> None:
    window = Window(BEGIN + DAY, BEGIN + 3 * DAY, BEGIN + 6 * HOUR)
    moments = [renewal.in_window(window) for _ in range(200)]
    assert window.start <= min(moments) < max(moments) <= window.end
    clock.moment = BEGIN + 5 * DAY
    assert renewal.in_window(window) == clock.moment


def test_each_failure_in_a_row_doubles_the_pause_up_to_a_day(clock: Clock) -> None:
    hours = [(renewal.after_failure(count) - BEGIN) / HOUR for count in (1, 2, 3, 6, 50)]
    for found, wanted in zip(hours, (1, 2, 4, 24, 24), strict=True):
        assert 0.9 * wanted <= found <= 1.1 * wanted


def test_what_is_due_is_queued_once(certificate: Certificate, clock: Clock) -> None:
    Certificate.objects.update(renew_at=BEGIN + 60 * DAY)
    clock.moment = BEGIN + 60 * DAY - HOUR
    assert actions.renew_due_certificates() == 0
    clock.moment += HOUR
    assert actions.renew_due_certificates() == 1
    assert actions.renew_due_certificates() == 0
    [job] = jobs(ISSUE)
    assert (job.label, job.lane) == ("Renew the certificate of shop.example", certificate.lane)
    assert AuditEvent.objects.get(event="certificate.renewed").target_id == certificate.pk


def test_a_revoked_one_is_not_renewed(certificate: Certificate, clock: Clock) -> None:
    Certificate.objects.update(renew_at=BEGIN, status=Status.REVOKED)
    assert actions.renew_due_certificates() == 0


def test_rehearsals_and_questions_have_turns_of_their_own(certificate: Certificate, clock: Clock) -> None:
    Certificate.objects.update(rehearse_at=BEGIN, renew_at=BEGIN + DAY)
    assert (actions.rehearse_due_renewals(), actions.rehearse_due_renewals()) == (1, 0)
    [job] = jobs(REHEARSE)
    Job.objects.filter(pk=job.pk).update(status=JobStatus.SUCCEEDED)
    Certificate.objects.update(ask_at=BEGIN)
    assert (actions.ask_for_due_renewals(), actions.ask_for_due_renewals()) == (1, 0)
    assert len(jobs(ASK)) == 1


def test_a_cancelled_renewal_is_due_again_an_hour_later(certificate: Certificate, clock: Clock, owner: Actor) -> None:
    Certificate.objects.update(renew_at=BEGIN)
    actions.renew_due_certificates()
    cancel_job(owner, job=jobs(ISSUE)[0])
    assert actions.renew_due_certificates() == 0
    certificate.refresh_from_db()
    assert (certificate.status, certificate.renew_at) == (Status.ACTIVE, BEGIN + HOUR)


def failed_renewal(certificate: Certificate, clock: Clock) -> None:
    """One turn: it is due, tried, and fails."""
    certificate.refresh_from_db()
    assert certificate.renew_at
    clock.moment = max(clock.moment, certificate.renew_at)
    assert actions.renew_due_certificates() == 1
    job = jobs(ISSUE)[-1]
    IssueCertificate().on_failed(job, Error("The zone is gone.", "Connect its provider."))
    Job.objects.filter(pk=job.pk).update(status=JobStatus.FAILED)


def test_failures_are_told_once_with_their_cause_long_before_the_end(
    certificate: Certificate, clock: Clock, owner: Actor
) -> None:
    Certificate.objects.update(renew_at=BEGIN + 60 * DAY)
    failed_renewal(certificate, clock)
    assert raise_alarms() == 0
    failed_renewal(certificate, clock)
    assert (raise_alarms(), raise_alarms()) == (1, 1)
    certificate.refresh_from_db()
    assert (certificate.status, certificate.failures) == (Status.ACTIVE, 2)
    assert certificate.alarm == "It could not be renewed: The zone is gone. Connect its provider."
    assert AuditEvent.objects.filter(event="certificate.alarmed").count() == 1
    [job] = jobs("warn_of_certificates")
    run_job(job.pk)
    [message] = mail.outbox
    assert message.to == ["owner@acme.test"]
    assert "The zone is gone" in message.body
    assert clock.moment < BEGIN + 61 * DAY

    Certificate.objects.update(failures=0, error="", hint="")
    assert raise_alarms() == 0
    run_job(jobs("warn_of_certificates")[-1].pk)
    assert "all is well again" in mail.outbox[-1].subject


def test_a_failed_rehearsal_is_told(certificate: Certificate, clock: Clock) -> None:
    Certificate.objects.update(rehearsal_error="A CAA record forbids it.")
    assert raise_alarms() == 1
    certificate.refresh_from_db()
    assert certificate.alarm == "The rehearsal of its renewal failed: A CAA record forbids it."


def test_whatever_the_reason_one_that_nears_its_end_is_told(certificate: Certificate, clock: Clock) -> None:
    clock.moment = BEGIN + 74 * DAY
    assert raise_alarms() == 0
    clock.moment = BEGIN + 76 * DAY
    assert raise_alarms() == 1
    clock.moment = BEGIN + 91 * DAY
    raise_alarms()
    certificate.refresh_from_db()
    assert "browsers refuse" in certificate.alarm


def test_figures(certificate: Certificate, clock: Clock) -> None:
    Certificate.objects.update(renew_at=BEGIN + 60 * DAY, failures=3)
    clock.moment = BEGIN + 61 * DAY
    labels = {"certificate": certificate.pk, "site": "shop.example", "source": "acme"}
    found = {gauge.name: list(gauge.samples) for gauge in metrics()}
    assert found["deploynix_certificate_left_seconds"] == [(labels, 29 * 86_400)]
    assert found["deploynix_certificate_renewal_seconds"] == [(labels, -86_400)]
    assert found["deploynix_certificate_failures"] == [(labels, 3)]
    assert found["deploynix_certificate_alarm"] == [(labels, 0)]


def test_proofs_whose_job_is_gone_are_found(certificate: Certificate, clock: Clock) -> None:
    Proof.objects.create(
        issuance_id=certificate.current_id, name="shop.example", challenge_url="u", value="v", created_at=BEGIN
    )
    assert actions.clean_standing_proofs() == 0
    clock.moment += HOUR
    assert (actions.clean_standing_proofs(), actions.clean_standing_proofs()) == (1, 0)
    [job] = jobs(CLEAN)
    Job.objects.filter(pk=job.pk).update(status=JobStatus.FAILED, finished_at=clock.moment)
    assert actions.clean_standing_proofs() == 0
    clock.moment += 7 * HOUR
    assert actions.clean_standing_proofs() == 1
