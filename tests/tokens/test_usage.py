"""When and how often a token was used."""

from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from deploynix.actor import Actor
from tests.apiclient import ApiClient
from tokens import usage
from tokens.actions import create_token
from tokens.models import Token

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty_log() -> None:
    usage._log.take()


def use(text: str, times: int = 1) -> None:
    for _ in range(times):
        assert ApiClient(text).get("/user").status_code == 200


def test_a_request_writes_nothing_and_a_moment_later_its_use_shows(owner: Actor) -> None:
    token, text = create_token(owner, name="x")
    use(text, 3)
    assert Token.objects.filter(pk=token.pk, last_used_at=None).exists()
    usage.write_uses()
    token.refresh_from_db()
    assert token.use_count == 3
    assert token.last_used_ip == "127.0.0.1"
    assert token.last_used_at is not None
    assert timezone.now() - token.last_used_at < timedelta(seconds=30)


def test_a_token_is_written_at_most_once_a_minute(
    owner: Actor, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    token, text = create_token(owner, name="x")
    use(text)
    usage.write_uses()
    use(text, 2)
    usage.write_uses()
    token.refresh_from_db()
    assert token.use_count == 1
    Token.objects.update(last_used_at=timezone.now() - timedelta(seconds=61))
    usage.write_uses()
    token.refresh_from_db()
    assert token.use_count == 3, "what waited is not lost"
    with django_assert_num_queries(0):
        usage.write_uses()


def test_the_last_use_is_written_once_its_minute_is_over_though_no_other_follows(owner: Actor) -> None:
    token, _ = create_token(owner, name="x")
    now = timezone.now()
    Token.objects.update(last_used_at=now - timedelta(seconds=61))
    usage._log.note(token.pk, usage.Use(1, now - timedelta(seconds=30), None))
    usage.write_uses()
    token.refresh_from_db()
    assert token.use_count == 1


def test_a_process_that_ends_writes_everything(owner: Actor) -> None:
    token, text = create_token(owner, name="x")
    use(text)
    usage.write_uses()
    use(text)
    usage.write_uses(everything=True)
    token.refresh_from_db()
    assert token.use_count == 2


def test_what_cannot_be_written_is_kept(owner: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    token, text = create_token(owner, name="x")
    use(text, 2)
    with monkeypatch.context() as patched:
        patched.setattr(usage, "_write", lambda *_: (_ for _ in ()).throw(DatabaseError("gone")))
        usage.write_uses()
    use(text)
    usage.write_uses()
    token.refresh_from_db()
    assert token.use_count == 3


def test_a_deleted_token_is_forgotten(owner: Actor, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    token, text = create_token(owner, name="x")
    use(text)
    token.delete()
    usage.write_uses()
    with django_assert_num_queries(0):
        usage.write_uses()


def test_a_refused_token_counts_no_use(owner: Actor) -> None:
    token, text = create_token(owner, name="x")
    Token.objects.update(revoked_at=timezone.now())
    assert ApiClient(text).get("/user").status_code == 401
    usage.write_uses()
    token.refresh_from_db()
    assert token.use_count == 0
