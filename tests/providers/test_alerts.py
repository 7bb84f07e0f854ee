"""Mails about credentials: once for each reason, to those who can do something about it, while it is so."""

from datetime import timedelta
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.core.mail import EmailMessage
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone

from deploynix.actor import Actor, system_actor
from jobs.models import Job
from jobs.models import Status as JobStatus
from jobs.runner import run_job
from organizations.models import Role
from providers import actions, uses
from providers.alerts import warn_of_expiry
from providers.base import Kind
from providers.models import Credential, CredentialAlert, Status
from providers.tasks import warn
from providers.uses import Use, register_user
from tests import factories
from tests.apiclient import ApiClient
from tests.providers.asking import connect
from tests.tokens.clock import Clock

pytestmark = pytest.mark.django_db
EXPIRED = "[Deploynix] Nimbus credential Main has expired"
INVALID = "[Deploynix] Nimbus credential Main is no longer accepted"
LIMITED = "[Deploynix] Nimbus credential Main may no longer do all that is needed"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def delivered() -> list[EmailMessage]:
    """Does the mailing that waits; returns the mails that it sent."""
    mail.outbox.clear()
    for pk in Job.objects.filter(kind="warn_of_credential", status=JobStatus.QUEUED).values_list("pk", flat=True):
        Job.objects.filter(pk=pk).update(run_after=timezone.now())
        run_job(pk)
    return list(mail.outbox)


def subjects() -> list[str]:
    return [str(message.subject) for message in delivered()]


def check(credential: Credential, token: str) -> None:
    """Verifies it as if this were its token: what the provider says of it has changed, and not the secret."""
    row = Credential.objects.get(pk=credential.pk)
    row.seal({"api_token": token})
    row.save(update_fields=["sealed"])
    run_job(actions.verify_credential(system_actor(row.organization), credential=row).pk)


def ends(credential: Credential, **span: float) -> None:
    Credential.objects.filter(pk=credential.pk).update(expires_at=timezone.now() + timedelta(**span))


def test_expiry_is_told_seven_days_and_one_day_before_and_when_it_comes(credential: Credential, clock: Clock) -> None:
    ends(credential, days=30)
    seen = []
    for _ in range(60):
        for _ in range(2):
            warn()
        seen += subjects()
        clock.advance(days=1)
    assert seen == [
        "[Deploynix] Nimbus credential Main expires in 7 days",
        "[Deploynix] Nimbus credential Main expires in 1 day",
        EXPIRED,
    ]


def test_the_clock_asks_every_hour() -> None:
    entry = settings.CELERY_BEAT_SCHEDULE["warn-of-credentials"]
    assert (entry["task"], entry["schedule"]) == (warn.name, 3600.0)


def test_the_mail_says_what_it_is_for_and_what_to_do_and_no_secret(
    owner: Actor, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uses, "_counters", {**uses._counters, Kind.SERVER: []})
    register_user(Kind.SERVER, lambda credential: [Use(f"the server web-{number}") for number in range(1, 6)])
    factories.actor(owner.organization, Role.ADMIN, "admin@acme.test")
    factories.actor(owner.organization, Role.DEVELOPER, "developer@acme.test")
    credential = connect(owner, values={"api_token": "canary-secret-4711"})
    ends(credential, days=7)
    Credential.objects.update(created_at=clock.now - timedelta(days=100))
    warn_of_expiry()
    (message,) = delivered()
    assert message.to == ["owner@acme.test", "admin@acme.test"]
    for text in (
        (clock.now + timedelta(days=7)).strftime("%H:%M UTC"),
        "used by the server web-1, the server web-2, the server web-3 and 2 more.",
        "Settings > Server Providers of the organization Acme",
        "Make a new API Token at Nimbus",
        f"/settings/server-providers/{credential.pk}",
    ):
        assert text in message.body
    assert "canary" not in f"{message.message()} {list(Job.objects.values_list('params', flat=True))}"


def test_an_end_that_is_told_as_a_span_is_told_once(credential: Credential, clock: Clock) -> None:
    Credential.objects.update(created_at=clock.now - timedelta(days=100))
    for _ in range(3):
        ends(credential, days=7)
        warn_of_expiry()
        clock.advance(seconds=2)
    assert len(delivered()) == 1


def test_a_later_end_is_told_again(credential: Credential, clock: Clock) -> None:
    Credential.objects.update(created_at=clock.now - timedelta(days=100))
    ends(credential, days=1)
    warn_of_expiry()
    ends(credential, days=41)
    clock.advance(days=40)
    warn_of_expiry()
    assert len(delivered()) == 2


def test_a_credential_that_had_ended_when_it_was_connected_is_not_told_of(owner: Actor, clock: Clock) -> None:
    credential = connect(owner, values={"api_token": "invalid-token"})
    ends(credential, days=-1)
    check(credential, "invalid-token")
    warn_of_expiry()
    assert subjects() == []


@pytest.mark.parametrize(("token", "subject"), [("limited-token", LIMITED), ("invalid-token", INVALID)])
def test_what_is_not_in_order_any_more_is_told_once_a_spell(
    checked: Any, clock: Clock, token: str, subject: str
) -> None:
    credential = checked("good-token")
    seen = []
    for turn in (token, token, "good-token", token):
        clock.advance(days=1)
        check(credential, turn)
        seen.append(subjects())
    assert seen == [[subject], [], [], [subject]]


def test_the_mail_says_what_is_denied_and_how_to_get_it(checked: Any) -> None:
    check(checked("good-token"), "limited-token")
    (message,) = delivered()
    assert "Images: read: denied. Give the API Token the permission Images: read.\n" in message.body
    assert "Allow the API Token at Nimbus what is missing" in message.body
    assert "Prices" not in message.body, "that is optional, and was denied before"
    assert "It was in order on" in message.body


def test_the_mail_says_why_it_is_refused_and_never_the_secret(checked: Any) -> None:
    check(checked("good-token"), "invalid-secret-token")
    (message,) = delivered()
    assert "Nimbus answered 401 to [redacted]. Make a new API Token.\n" in message.body
    assert "invalid-secret-token" not in message.body


def test_one_that_gets_worse_is_told_of_again(checked: Any, clock: Clock) -> None:
    credential = checked("good-token")
    check(credential, "limited-token")
    check(credential, "invalid-token")
    assert subjects() == [LIMITED, INVALID]


def test_one_that_was_never_in_order_is_not_told_of(checked: Any) -> None:
    checked("invalid-token")
    assert subjects() == []


def test_that_it_expired_is_not_told_twice_in_other_words(checked: Any, clock: Clock) -> None:
    credential = checked("good-token")
    clock.advance(days=1)
    ends(credential, hours=1)
    clock.advance(hours=2)
    check(credential, "invalid-token")
    warn_of_expiry()
    assert subjects() == [EXPIRED]


def test_an_outage_between_hides_nothing(checked: Any, clock: Clock) -> None:
    credential = checked("good-token")
    Credential.objects.update(status=Status.UNREACHABLE)
    check(credential, "invalid-token")
    assert subjects() == [INVALID]


def test_what_was_replaced_meanwhile_is_not_told(owner: Actor, checked: Any, clock: Clock) -> None:
    credential = checked("good-token")
    Credential.objects.update(created_at=clock.now - timedelta(days=100))
    check(credential, "invalid-token")
    actions.replace_secret(owner, credential=credential, values={"api_token": "other-token"})
    assert subjects() == []
    ends(credential, days=1)
    warn_of_expiry()
    actions.replace_secret(owner, credential=credential, values={"api_token": "third-token"})
    assert subjects() == []
    assert Job.objects.filter(kind="warn_of_credential", status=JobStatus.SUCCEEDED).count() == 2


def test_what_is_in_order_again_or_removed_is_not_told(owner: Actor, checked: Any) -> None:
    credential = checked("good-token")
    check(credential, "limited-token")
    check(credential, "good-token")
    assert subjects() == []
    check(credential, "invalid-token")
    actions.delete_credential(owner, credential=credential)
    assert subjects() == []
    assert not CredentialAlert.objects.exists()


def test_a_mail_that_fails_is_tried_again(checked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise SMTPServerDisconnected("gone")

    with monkeypatch.context() as patched:
        patched.setattr(EmailBackend, "send_messages", fail)
        check(checked("good-token"), "invalid-token")
        assert subjects() == []
    assert subjects() == [INVALID]
    assert subjects() == [], "and only once"


def test_a_name_cannot_forge_the_header_of_a_mail(checked: Any) -> None:
    credential = checked("good-token")
    Credential.objects.update(name="Main\r\nBcc: someone@else.test")
    check(credential, "invalid-token")
    (message,) = delivered()
    assert message.subject == "[Deploynix] Nimbus credential Main Bcc: someone@else.test is no longer accepted"
    assert message.recipients() == ["owner@acme.test"]


def test_the_jobs_of_warnings_tell_no_names(checked: Any, member_api: ApiClient) -> None:
    check(checked("good-token"), "invalid-token")
    answer = member_api.get("/jobs?kind=warn_of_credential").content.decode()
    assert "Mail a warning about a credential" in answer
    assert "accepted" not in answer
