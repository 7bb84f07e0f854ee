"""The public report of leaked tokens."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from audit.models import AuditEvent
from deploynix.actor import Actor
from jobs.models import Job
from jobs.runner import run_job
from organizations.models import Organization, Role
from tests import factories
from tests.apiclient import ApiClient
from tokens.actions import create_access_token, create_api_key, create_token, revoke_token
from tokens.models import Token
from tokens.wire import new_token

pytestmark = pytest.mark.django_db
anybody = ApiClient()
MAKERS: dict[str, Callable[[Actor], tuple[Token, str]]] = {
    "personal": lambda actor: create_token(actor, name="mine"),
    "key": lambda actor: create_api_key(actor, name="key", permissions=["servers:read"]),
    "test key": lambda actor: create_api_key(actor, name="key", permissions=["servers:read"], environment="test"),
    "duty key": lambda actor: create_api_key(actor, name="key", permissions=["read"]),
    "access": lambda actor: create_access_token(actor, name="pipe", scopes=["all"], passphrase="long enough"),
}


@pytest.fixture(autouse=True)
def _room(settings: Settings) -> None:
    settings.RATE_LIMIT_AUTH = 1000


def report(**body: Any) -> tuple[int, bytes]:
    response = anybody.post("/tokens/leaked", body)
    return response.status_code, response.content


def mails() -> list[mail.EmailMessage]:
    mail.outbox.clear()
    for pk in Job.objects.filter(kind="warn_of_token", status="queued").values_list("pk", flat=True):
        run_job(pk)
    return list(mail.outbox)


@pytest.mark.parametrize("kind", MAKERS)
def test_a_live_secret_of_any_kind_is_revoked_at_once(owner: Actor, kind: str) -> None:
    token, text = MAKERS[kind](owner)
    assert report(token=text)[0] == 202
    token.refresh_from_db()
    assert token.revoked_at is not None
    assert ApiClient(text).get("/user").status_code == 401
    event = AuditEvent.objects.get(event="token.leaked")
    assert (event.organization_id, event.target_id, event.actor) == (owner.organization.pk, token.pk, "system")
    assert event.ip == "127.0.0.1"


@pytest.mark.parametrize("change", [{"is_active": False}, {"expires_at": "2020-01-01T00:00:00Z"}])
def test_one_that_opens_nothing_now_is_revoked_too(owner: Actor, change: dict[str, Any]) -> None:
    """It could be switched on, or given another expiry."""
    token, text = MAKERS["key"](owner)
    Token.objects.update(**change)
    report(token=text)
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_the_answer_never_tells_whether_there_was_such_a_token(owner: Actor) -> None:
    token, text = create_token(owner, name="x")
    guess = text[:20] + new_token("dnx_").text[20:]
    answers = {
        report(token=text),
        report(token=text),
        report(token=new_token("dnx_").text),
        report(token=guess),
        report(token=f"dnx_{token.public_id}"),
        report(token="hello"),
        report(tokens=["hello", "dep_live_x"]),
    }
    assert len(answers) == 1
    assert AuditEvent.objects.filter(event="token.leaked").count() == 1


def test_the_id_alone_or_a_wrong_secret_ends_nothing(owner: Actor) -> None:
    token, _ = create_token(owner, name="x")
    other = new_token("dnx_")
    forged = type(other)(other.prefix, token.public_id, other.secret).text
    queries = []
    for text in (forged, new_token("dnx_").text):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            report(token=text)
        queries.append(len(asked))
    assert queries[0] == queries[1], "a known id costs what an unknown one does"
    token.refresh_from_db()
    assert token.revoked_at is None


def test_the_maker_and_the_owners_are_told(organization: Organization, owner: Actor) -> None:
    admin = factories.actor(organization, Role.ADMIN, "admin@acme.test")
    factories.actor(organization, Role.DEVELOPER, "developer@acme.test")
    token, text = create_api_key(
        admin, name="Monitoring", permissions=["servers:read"], notification_email="ops@acme.test"
    )
    report(token=text, url="https://git.example/acme/shop/blob/main/.env")
    (message,) = mails()
    assert sorted(message.to) == ["admin@acme.test", "ops@acme.test", "owner@acme.test"]
    assert message.subject == "[Deploynix] Monitoring was found by somebody, and is revoked"
    assert "https://git.example/acme/shop/blob/main/.env" in message.body
    assert f"/settings/tokens/{token.pk}/use" in message.body
    report(token=text)
    assert mails() == []


def test_several_at_once_as_scanners_send_them(owner: Actor, outsider: Actor) -> None:
    texts = [create_token(owner, name="a")[1], create_token(outsider, name="b")[1], "junk"]
    assert report(tokens=texts)[0] == 202
    assert not Token.objects.unrevoked().exists()
    assert {message.to[0] for message in mails()} == {"owner@acme.test", "owner@other.test"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "token"),
        ({"token": ""}, "token"),
        ({"tokens": []}, "token"),
        ({"tokens": ["x"] * 101}, "tokens"),
        ({"token": 7}, "token"),
        ({"token": "x" * 256}, "token"),
        ({"token": "x", "secret": "y"}, "secret"),
    ],
)
def test_what_is_no_report_is_refused(body: dict[str, Any], field: str) -> None:
    status, content = report(**body)
    assert status == 422
    assert field in json.loads(content)["errors"]


def test_the_secret_is_neither_logged_nor_stored(owner: Actor, caplog: pytest.LogCaptureFixture) -> None:
    _, text = create_token(owner, name="x")
    caplog.set_level(logging.DEBUG)
    report(token=text, url=f"https://paste.example/?q={text}\r\nX: y")
    secret = text[21:]
    rows = [str(event.changes) for event in AuditEvent.objects.all()]
    rows += [str(job.params) for job in Job.objects.all()]
    assert "https://paste.example/?q=[token] X: y" in rows[-1]
    assert all(secret not in row for row in rows)
    assert secret not in caplog.text
    assert secret not in str([message.body for message in mails()])


def test_an_address_may_report_so_often(owner: Actor, settings: Settings) -> None:
    settings.RATE_LIMIT_AUTH = 2
    _, text = create_token(owner, name="x")
    assert [report(token="x")[0] for _ in range(3)] == [202, 202, 429]
    assert report(token=text)[0] == 429
    assert Token.objects.unrevoked().exists()


def test_one_that_was_revoked_before_is_told_to_nobody(owner: Actor) -> None:
    token, text = create_token(owner, name="x")
    revoke_token(owner, token=token)
    assert report(token=text)[0] == 202
    assert mails() == []
