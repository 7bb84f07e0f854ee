"""Rate limits, by token, user or address."""

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from deploynix.actor import Actor
from deploynix.api import throttling
from deploynix.api.throttling import GENERAL, LOGIN, Limiter
from tests.apiclient import ApiClient, Response

pytestmark = pytest.mark.django_db
CREDENTIALS = {"email": "nobody@acme.test", "password": "wrong password"}


def assert_limited(response: Response) -> None:
    assert response.status_code == 429
    assert 1 <= int(response["Retry-After"]) <= 60
    body = response.json()
    assert body["error"] == {"code": "rate_limited", "message": body["message"], "status": 429}


def test_sixty_requests_a_minute_for_each_token(api: ApiClient, owner: Actor) -> None:
    assert [api.get("/user").status_code for _ in range(60)] == [200] * 60
    assert_limited(api.get("/user"))
    assert_limited(api.get("/tokens"))
    assert ApiClient.signed_in(owner).get("/user").status_code == 200


def test_a_refused_request_counts_too(settings: Settings, owner: Actor) -> None:
    settings.RATE_LIMIT_GENERAL = 2
    api = ApiClient.signed_in(owner, ["site:read"])
    assert [api.get("/jobs").status_code for _ in range(3)] == [403, 403, 429]


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


def test_a_limited_request_does_no_work(
    settings: Settings, api: ApiClient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    settings.RATE_LIMIT_GENERAL = 1
    api.get("/user")
    with django_assert_num_queries(1):
        assert_limited(api.get("/tokens"))


def test_without_redis_each_process_counts_for_itself(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, api: ApiClient
) -> None:
    limiter = Limiter("redis://127.0.0.1:9")
    monkeypatch.setattr(throttling, "_limiter", lambda: limiter)
    assert api.get("/user").status_code == 200
    assert "cannot be reached" in caplog.text
    anybody = ApiClient()
    assert [anybody.post("/login", CREDENTIALS).status_code for _ in range(6)][-1] == 429


def test_redis_is_left_alone_for_a_while_after_it_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    limiter = Limiter("redis://127.0.0.1:9")
    assert limiter.wait(LOGIN, "x") is None
    asked: list[object] = []

    def hit(*args: object) -> bool:
        asked.append(args)
        return True

    monkeypatch.setattr(limiter._shared, "hit", hit)
    assert limiter.wait(GENERAL, "x") is None
    assert not asked
    limiter._paused_until = 0
    assert limiter.wait(GENERAL, "x") is None
    assert asked
