"""Mails about tokens: each once, to the right people, and tried again where one fails."""

from datetime import timedelta
from pathlib import Path
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks
from pytest_django.fixtures import Settings

from deploynix.actor import Actor
from jobs.models import Job, Status
from jobs.runner import run_job
from organizations.models import Membership
from tests.apiclient import ApiClient
from tests.tokens.clock import Clock
from tests.tokens.places import write_places
from tests.tokens.test_usage import note
from tokens import usage
from tokens.actions import create_access_token, create_api_key, create_token, revoke_token
from tokens.alerts import warn_of_expiry, warn_of_unused
from tokens.alerts.use import MOST_NETWORKS_A_DAY
from tokens.models import Token, TokenAlert
from tokens.tasks import forget_use, warn_of_ageing
from tokens.usage import noting

pytestmark = pytest.mark.django_db
HOME, AWAY, THIRD = "203.0.113.9", "198.51.100.7", "192.0.2.3"


@pytest.fixture(autouse=True)
def _empty_log() -> None:
    noting.uses.take()
    noting.failures.take()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def key(owner: Actor) -> Token:
    made, _ = create_api_key(owner, name="Monitoring", permissions=["servers:read"], notification_email="ops@acme.test")
    return Token.objects.get(pk=made.pk)


def delivered() -> list[EmailMessage]:
    """Does the work that waits; returns the mails that it sent."""
    mail.outbox.clear()
    for pk in Job.objects.filter(kind="warn_of_token", status=Status.QUEUED).values_list("pk", flat=True):
        Job.objects.filter(pk=pk).update(run_after=timezone.now())
        run_job(pk)
    return list(mail.outbox)


def used(token: Token, clock: Clock, *addresses: str) -> list[EmailMessage]:
    for ip in addresses:
        note(token, ip=ip)
    usage.write_noted()
    clock.advance(minutes=2)
    return delivered()


@pytest.fixture
def places(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "places.mmdb"
    write_places(path, {"203.0.113.0/24": "DE", "198.51.100.0/24": "FR", "192.0.2.0/24": "DE"})
    settings.PLACES_DATABASE = str(path)


def test_the_first_network_is_nothing_to_warn_of_and_another_is(key: Token, clock: Clock) -> None:
    assert used(key, clock, HOME) == []
    (message,) = used(key, clock, AWAY)
    assert message.to == ["owner@acme.test", "ops@acme.test"]
    assert message.subject == "[Deploynix] Monitoring was used from a new network"
    for text in ("198.51.100.0/24", f"{key.prefix}{key.public_id}", "Acme", f"/settings/tokens/{key.pk}/use", "revoke"):
        assert text in message.body
    assert (clock.now - timedelta(minutes=2)).strftime("%H:%M UTC") in message.body
    assert used(key, clock, AWAY, HOME, "198.51.100.200") == [], "each network once"


def test_networks_of_the_first_minute_are_the_first(key: Token, clock: Clock) -> None:
    assert used(key, clock, HOME, "2001:db8::1") == []


def test_a_new_country_is_told_as_such(key: Token, clock: Clock, places: None) -> None:
    used(key, clock, HOME)
    assert [message.subject for message in used(key, clock, THIRD)] == [
        "[Deploynix] Monitoring was used from a new network"
    ]
    (message,) = used(key, clock, AWAY)
    assert message.subject == "[Deploynix] Monitoring was used from a new country, FR"
    assert "198.51.100.0/24 (FR)" in message.body


def test_a_broken_database_of_places_loses_no_use(key: Token, clock: Clock, tmp_path: Path, settings: Settings) -> None:
    settings.PLACES_DATABASE = str(tmp_path / "missing.mmdb")
    used(key, clock, HOME)
    (tmp_path / "broken.mmdb").write_bytes(b"no database")
    settings.PLACES_DATABASE = str(tmp_path / "broken.mmdb")
    used(key, clock, AWAY)
    key.refresh_from_db()
    assert (key.use_count, key.networks.count()) == (2, 2)


def test_a_program_that_moves_all_day_is_told_of_so_often(key: Token, clock: Clock) -> None:
    used(key, clock, HOME)
    mails = [used(key, clock, f"198.18.{number}.1") for number in range(MOST_NETWORKS_A_DAY + 5)]
    assert [len(sent) for sent in mails] == [1] * MOST_NETWORKS_A_DAY + [0] * 5
    clock.advance(days=1)
    TokenAlert.objects.update(created_at=clock.now - timedelta(days=2))
    assert len(used(key, clock, "198.19.0.1")) == 1


def refused(token: Token, times: int, capture: DjangoCaptureOnCommitCallbacks) -> list[EmailMessage]:
    for _ in range(times):
        usage.note_failure(token.pk, "ip_restricted", AWAY)
    with capture(execute=True):
        usage.write_noted(everything=True)
    return delivered()


def test_a_burst_of_failures_is_told_once_a_day(
    key: Token, clock: Clock, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    clock.now = clock.now.replace(hour=12)
    assert refused(key, 12, django_capture_on_commit_callbacks) == []
    clock.advance(minutes=5)
    (message,) = refused(key, 8, django_capture_on_commit_callbacks)
    assert message.subject == "[Deploynix] Monitoring was refused 20 times in 10 minutes"
    assert AWAY in message.body
    assert refused(key, 40, django_capture_on_commit_callbacks) == []
    clock.advance(days=1)
    assert len(refused(key, 20, django_capture_on_commit_callbacks)) == 1


def test_failures_over_a_longer_time_are_no_burst(
    key: Token, clock: Clock, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    for _ in range(4):
        assert refused(key, 12, django_capture_on_commit_callbacks) == []
        clock.advance(minutes=10)


def test_the_size_of_a_burst_is_a_setting(
    key: Token,
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    settings.TOKEN_FAILURE_BURST = 3
    assert len(refused(key, 3, django_capture_on_commit_callbacks)) == 1


def test_expiry_is_told_seven_days_and_one_day_before(key: Token, clock: Clock) -> None:
    Token.objects.filter(pk=key.pk).update(expires_at=clock.now + timedelta(days=30))
    seen = []
    for _ in range(31):
        warn_of_ageing()
        warn_of_ageing()
        seen += [message.subject for message in delivered()]
        clock.advance(days=1)
    assert seen == [
        "[Deploynix] Monitoring expires in 7 days",
        "[Deploynix] Monitoring expires in 1 day",
    ]


def test_a_later_expiry_is_told_again(key: Token, clock: Clock) -> None:
    tokens = Token.objects.filter(pk=key.pk)
    tokens.update(expires_at=clock.now + timedelta(days=7), created_at=clock.now - timedelta(days=1))
    warn_of_expiry()
    assert len(delivered()) == 1
    tokens.update(expires_at=clock.now + timedelta(days=40))
    clock.advance(days=33)
    warn_of_expiry()
    assert len(delivered()) == 1


def test_a_token_made_for_a_day_is_not_warned_of_at_once(owner: Actor, clock: Clock) -> None:
    create_token(owner, name="short", expires_at=clock.now + timedelta(hours=23))
    warn_of_expiry()
    assert delivered() == []


def test_what_opens_nothing_is_not_warned_of(owner: Actor, key: Token, clock: Clock) -> None:
    Token.objects.filter(pk=key.pk).update(expires_at=clock.now + timedelta(days=7))
    revoke_token(owner, token=key)
    clock.advance(days=100)
    warn_of_ageing()
    assert delivered() == []


def test_a_key_that_nobody_uses_is_told_once_a_spell(key: Token, clock: Clock) -> None:
    clock.advance(days=89)
    warn_of_unused()
    assert delivered() == [], "not yet"
    clock.advance(days=2)
    warn_of_unused()
    (message,) = delivered()
    assert message.subject == "[Deploynix] Monitoring was not used for 90 days"
    assert "Never used" in message.body
    TokenAlert.objects.update(created_at=clock.now)
    clock.advance(days=30)
    warn_of_unused()
    assert delivered() == []
    used(key, clock, HOME)
    clock.advance(days=91)
    warn_of_unused()
    (message,) = delivered()
    assert f"from {HOME}" in message.body


def test_tokens_of_signing_in_are_not_told_as_unused_and_access_tokens_are(owner: Actor, clock: Clock) -> None:
    create_token(owner, name="API login")
    create_access_token(owner, name="Pipeline", scopes=["basic_deployment"])
    clock.advance(days=91)
    warn_of_unused()
    assert [message.subject for message in delivered()] == ["[Deploynix] Pipeline was not used for 90 days"]


def test_a_mail_that_fails_is_tried_again(key: Token, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    used(key, clock, HOME)
    with monkeypatch.context() as patched:

        def fail(*_: Any) -> None:
            raise SMTPServerDisconnected("gone")

        patched.setattr(EmailBackend, "send_messages", fail)
        assert used(key, clock, AWAY) == []
        job = Job.objects.get(kind="warn_of_token")
        assert job.status == Status.QUEUED
        assert job.retries == 1
    assert len(delivered()) == 1
    assert delivered() == [], "and only once"


def test_who_left_is_told_nothing(owner: Actor, key: Token, clock: Clock) -> None:
    used(key, clock, HOME)
    Membership.objects.filter(user=owner.user).delete()
    (message,) = used(key, clock, AWAY)
    assert message.to == ["ops@acme.test"]
    Token.objects.update(notification_email="")
    assert used(key, clock, THIRD) == []
    assert Job.objects.filter(status=Status.SUCCEEDED).count() == 2


def test_a_name_cannot_forge_the_header_of_a_mail(owner: Actor, clock: Clock) -> None:
    made, _ = create_token(owner, name="x")
    Token.objects.update(name="CI\r\nBcc: someone@else.test")
    token = Token.objects.get(pk=made.pk)
    used(token, clock, HOME)
    (message,) = used(token, clock, AWAY)
    assert message.subject == "[Deploynix] CI Bcc: someone@else.test was used from a new network"
    assert message.recipients() == ["owner@acme.test"]


def test_the_jobs_of_warnings_tell_no_names_of_tokens(key: Token, clock: Clock, member_api: ApiClient) -> None:
    used(key, clock, HOME)
    used(key, clock, AWAY)
    answer = member_api.get("/jobs").content.decode()
    assert "Mail a warning about a token" in answer
    assert "Monitoring" not in answer
    assert AWAY not in answer


def test_old_use_is_forgotten_by_the_clock(key: Token, clock: Clock) -> None:
    used(key, clock, HOME)
    clock.advance(days=401)
    forget_use()
    assert not key.days.exists()
