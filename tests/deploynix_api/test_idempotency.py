"""`Idempotency-Key`: sent again, done once."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from audit.models import AuditEvent
from deploynix.actor import Actor
from deploynix.api.idempotency import forget_old_keys
from deploynix.models import IdempotencyKey
from tests import factories
from tests.apiclient import ApiClient, Response
from tokens.models import Token

KEY = "0f1b6b6e-4a3e-4b0c-8c5e-1d0a0c6b7f11"
ONCE = {"name": "once", "abilities": ["site:read"]}


def post(api: ApiClient, data: Any = None, key: str = KEY) -> Response:
    return api.post("/tokens", ONCE if data is None else data, idempotency_key=key)


@pytest.mark.django_db
def test_a_repeated_request_answers_the_same_without_the_secret(api: ApiClient) -> None:
    first, again = post(api), post(api)
    assert first.status_code == again.status_code == 201
    assert "Idempotency-Replayed" not in first
    assert again["Idempotency-Replayed"] == "true"
    made = first.json()
    secret = made.pop("token")
    assert again.json() == made
    assert Token.objects.filter(name="once").count() == 1
    assert AuditEvent.objects.filter(event="token.created", target__startswith="once").count() == 1
    row = IdempotencyKey.objects.get()
    assert secret not in str(vars(row))


@pytest.mark.django_db
def test_a_body_that_is_nested_too_deeply_is_422(api: ApiClient) -> None:
    answer = post(api, '{"name": ' + "[" * 500 + "]" * 500 + "}")
    assert answer.status_code == 422
    assert answer.json()["errors"] == {"body": ["The body is nested too deeply."]}


@pytest.mark.django_db
def test_the_order_of_fields_does_not_matter(api: ApiClient) -> None:
    post(api)
    assert post(api, dict(reversed(ONCE.items())))["Idempotency-Replayed"] == "true"


@pytest.mark.django_db
def test_the_same_key_with_another_body_is_422(api: ApiClient) -> None:
    post(api)
    response = post(api, {"name": "other"})
    assert response.status_code == 422
    assert list(response.json()["errors"]) == ["Idempotency-Key"]
    assert not Token.objects.filter(name="other").exists()


@pytest.mark.django_db
def test_keys_of_others_do_not_count(api: ApiClient, member_api: ApiClient, outsider_api: ApiClient) -> None:
    for client in (api, member_api, outsider_api):
        response = post(client, {"name": "mine"})
        assert response.status_code == 201
        assert "Idempotency-Replayed" not in response
    assert Token.objects.filter(name="mine").count() == 3


@pytest.mark.django_db
def test_a_refused_request_frees_the_key(api: ApiClient) -> None:
    assert post(api, {"name": ""}).status_code == 422
    response = post(api)
    assert response.status_code == 201
    assert "Idempotency-Replayed" not in response


@pytest.mark.django_db
def test_a_failed_request_frees_the_key_and_leaves_nothing(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    api._client.raise_request_exception = False
    with monkeypatch.context() as patched:
        # After the action wrote its rows.
        patched.setattr("tokens.api.views.Tokens.one", lambda *_, **__: 1 / 0)
        assert post(api).status_code == 500
    assert not Token.objects.filter(name="once").exists()
    assert post(api).status_code == 201
    assert Token.objects.filter(name="once").count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["x" * 256, "é", " "])
def test_an_unusable_key_is_422(key: str, api: ApiClient) -> None:
    response = post(api, key=key)
    assert response.status_code == 422
    assert list(response.json()["errors"]) == ["Idempotency-Key"]


@pytest.mark.django_db
def test_a_key_counts_for_a_day(api: ApiClient) -> None:
    post(api)
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))
    assert "Idempotency-Replayed" not in post(api)
    assert Token.objects.filter(name="once").count() == 2
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))
    assert forget_old_keys() == 1


@pytest.mark.django_db
def test_the_right_is_checked_before_the_key(api: ApiClient, owner: Actor) -> None:
    post(api)
    weaker = ApiClient.signed_in(owner, ["site:read"])
    assert weaker.post("/jobs/x/cancel", idempotency_key=KEY).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_a_hundred_equal_requests_at_once_make_one_row(settings: Settings) -> None:
    settings.RATE_LIMIT_GENERAL = settings.RATE_LIMIT_TOKENS = 1000
    owner = factories.actor(factories.organization(), "owner")
    api = ApiClient.signed_in(owner)
    together = Barrier(20)

    def request(_: int) -> Response:
        together.wait(30)
        try:
            return post(ApiClient(api.token))
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(request, range(100)))
    assert Counter(answer.status_code for answer in answers) == {201: 100}
    assert sum("Idempotency-Replayed" not in answer for answer in answers) == 1
    assert len({answer.json()["data"]["id"] for answer in answers}) == 1
    assert Token.objects.filter(name="once").count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_second_does_the_work_when_the_first_is_undone(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two at once, of which one fails after it wrote its rows: the other is no replay of something undone."""
    owner = factories.actor(factories.organization(), "owner")
    api = ApiClient.signed_in(owner)
    from tokens.api import views

    real = views.Tokens.one
    failed: list[bool] = []

    def fail_once(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not failed:
            failed.append(True)
            raise RuntimeError("the first one fails")
        return real(self, *args, **kwargs)

    monkeypatch.setattr(views.Tokens, "one", fail_once)
    together = Barrier(2)

    def request(_: int) -> int:
        client = ApiClient(api.token)
        client._client.raise_request_exception = False
        together.wait(30)
        try:
            return post(client).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(request, range(2))) == [201, 500]
    assert Token.objects.filter(name="once").count() == 1
