"""Limits of single operations, by user or address."""

import pytest
from pytest_django import Settings
from redis.exceptions import RedisError

from deploynix.actor import Actor
from deploynix.api import fallback, throttling
from deploynix.api.fallback import Fallback
from deploynix.api.throttling import Limiter
from tests.apiclient import ApiClient, Response

pytestmark = pytest.mark.django_db
CREDENTIALS = {"email": "nobody@acme.test", "password": "wrong password"}


def assert_limited(response: Response) -> None:
    assert response.status_code == 429
    assert 1 <= int(response["Retry-After"]) <= 60
    body = response.json()
    assert body["error"] == {"code": "rate_limited", "message": body["message"], "status": 429}


def test_five_sign_ins_a_minute_for_each_address() -> None:
    anybody = ApiClient()
    answers = [anybody.post("/login", CREDENTIALS | {"email": f"{n}@acme.test"}) for n in range(6)]
    assert [answer.status_code for answer in answers] == [422] * 5 + [429]
    assert_limited(answers[5])
    assert anybody.post("/register", {}).status_code == 422, "registration is counted by itself"


def test_five_registrations_a_minute_for_each_address() -> None:
    anybody = ApiClient()
    assert [anybody.post("/register", {}).status_code for _ in range(6)] == [422] * 5 + [429]


def test_ten_new_tokens_a_minute_for_each_user(api: ApiClient, owner: Actor) -> None:
    for number in range(10):
        assert api.post("/tokens", {"name": f"{number}"}).status_code == 201
    assert_limited(ApiClient.signed_in(owner).post("/tokens", {"name": "one too many"}))
    assert api.get("/tokens").status_code == 200


def test_behind_no_trusted_proxy_a_forwarded_address_changes_nothing() -> None:
    anybody = ApiClient()
    answers = [anybody.post("/login", CREDENTIALS, x_forwarded_for=f"203.0.113.{n}").status_code for n in range(6)]
    assert answers[-1] == 429


def test_an_address_may_read_the_description_so_often_without_a_token(settings: Settings) -> None:
    settings.RATE_LIMIT_GENERAL = 2
    answers = [ApiClient().get("/schema") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert not [name for answer in answers for name in answer.headers if name.startswith("X-RateLimit")]


def test_without_redis_each_process_counts_for_itself(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    limiter = Limiter("redis://127.0.0.1:9")
    monkeypatch.setattr(throttling, "_limiter", lambda: limiter)
    anybody = ApiClient()
    assert [anybody.post("/login", CREDENTIALS).status_code for _ in range(6)] == [422] * 5 + [429]
    assert "cannot be reached" in caplog.text


def test_redis_is_left_alone_for_a_while_after_it_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def shared(question: str) -> str:
        asked.append(question)
        raise RedisError

    ask = Fallback(shared, lambda question: f"own {question}")
    assert [ask("one"), ask("two")] == ["own one", "own two"]
    assert asked == ["one"]
    monkeypatch.setattr(fallback, "PAUSE", 0)
    later = Fallback(shared, lambda question: f"own {question}")
    assert [later("three"), later("four")] == ["own three", "own four"]
    assert asked == ["one", "three", "four"]
