"""How often a token may ask, by its rate type, and what the answers say about it."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from deploynix.actor import Actor
from deploynix.api import rates
from deploynix.api.rates import Counters, Meter, Rate, Spent, rate_of
from tests.apiclient import ApiClient, Response
from tests.deploynix.test_settings import setting
from tokens.models import RateType, Token

NOON = int(datetime(2026, 4, 16, 12, tzinfo=UTC).timestamp())


class Clock:
    """Stands still until a test moves it; in place of the module `time`."""

    def __init__(self) -> None:
        self.seconds = NOON

    def time_ns(self) -> int:
        return self.seconds * 1_000_000_000


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(rates, "time", found)
    return found


@pytest.fixture
def meter(clock: Clock) -> Meter:
    return Meter("memory://")


def spend(meter: Meter, times: int, rate: Rate, who: str = "token") -> list[Spent]:
    return [meter.spend(who, rate.windows) for _ in range(times)]


@pytest.mark.parametrize(
    ("rate_type", "numbers"),
    [
        ("", (None, 60)),
        ("standard", (1_000, 100)),
        ("high_volume", (10_000, 1_000)),
        ("limited", (100, 10)),
        ("unlimited", (None, None)),
    ],
)
def test_rate_types(rate_type: str, numbers: tuple[int | None, int | None]) -> None:
    assert rate_of(rate_type) == numbers


def test_each_rate_type_of_a_key_has_numbers(settings: Settings) -> None:
    assert set(RateType.values) == set(settings.RATE_LIMIT_TYPES)


def test_an_install_may_have_other_numbers(tmp_path: Path) -> None:
    said = setting(tmp_path, "settings.RATE_LIMIT_TYPES['limited']", RATE_LIMIT_LIMITED_HOUR="7")
    assert said.strip() == "(7, 10)"


def test_the_hour_is_shown_where_there_is_one_else_the_minute(meter: Meter) -> None:
    assert spend(meter, 2, Rate(100, 10)) == [Spent(100, 99, NOON + 3600, None), Spent(100, 98, NOON + 3600, None)]
    assert spend(meter, 1, Rate(None, 60), "other") == [Spent(60, 59, NOON + 60, None)]


def test_a_full_minute_refuses_until_it_ends_and_spends_nothing_of_the_hour(meter: Meter, clock: Clock) -> None:
    allowed = spend(meter, 10, Rate(100, 10))
    assert [spent.retry_after for spent in allowed] == [None] * 10
    clock.seconds += 20
    assert spend(meter, 5, Rate(100, 10)) == [Spent(10, 0, NOON + 60, 40)] * 5
    clock.seconds += 40
    assert spend(meter, 1, Rate(100, 10)) == [Spent(100, 89, NOON + 3600, None)]


def test_a_full_hour_refuses_until_it_ends_and_spends_nothing_of_the_minute(meter: Meter, clock: Clock) -> None:
    rate = Rate(3, 2)
    spend(meter, 2, rate)
    clock.seconds += 60
    assert spend(meter, 3, rate)[1:] == [Spent(3, 0, NOON + 3600, 3540)] * 2
    clock.seconds += 3540
    assert [spent.retry_after for spent in spend(meter, 3, rate)] == [None, None, 60]


def test_where_both_are_full_the_later_end_counts(meter: Meter, clock: Clock) -> None:
    assert spend(meter, 3, Rate(2, 2))[2] == Spent(2, 0, NOON + 3600, 3600)
    clock.seconds += 3570
    assert spend(meter, 1, Rate(2, 2)) == [Spent(2, 0, NOON + 3600, 30)]


def test_the_hour_s_end_may_come_before_the_minute_s(meter: Meter, clock: Clock) -> None:
    spend(meter, 1, Rate(3, 2))
    clock.seconds += 3590
    assert spend(meter, 3, Rate(3, 2))[2] == Spent(2, 0, NOON + 3650, 60)


def test_a_window_begins_with_the_first_request(meter: Meter, clock: Clock) -> None:
    spend(meter, 1, Rate(None, 60))
    clock.seconds += 1000
    assert spend(meter, 1, Rate(None, 60)) == [Spent(60, 59, NOON + 1060, None)]


def test_a_limit_that_was_lowered_counts_at_once(meter: Meter) -> None:
    spend(meter, 50, Rate(1000, 100))
    assert spend(meter, 1, Rate(40, 100)) == [Spent(40, 0, NOON + 3600, 3600)]


def test_a_limit_of_nothing_lets_nobody_in(meter: Meter) -> None:
    assert spend(meter, 2, Rate(None, 0)) == [Spent(0, 0, NOON + 60, 60)] * 2


def test_each_token_has_its_own(meter: Meter) -> None:
    spend(meter, 2, Rate(None, 1), "one")
    assert spend(meter, 1, Rate(None, 1), "other")[0].retry_after is None


def test_counters_that_ended_are_forgotten(clock: Clock) -> None:
    counters = Counters()
    for number in range(100):
        counters([f"{number}"], [60, rates.MINUTE])
    clock.seconds += 61
    counters(["last"], [60, rates.MINUTE])
    assert len(counters._counts) == 1


def test_two_hundred_at_once_against_a_limit_of_a_hundred() -> None:
    meter = Meter("memory://")
    with ThreadPoolExecutor(50) as pool:
        found = list(pool.map(lambda _: meter.spend("token", Rate(1000, 100).windows), range(200)))
    assert Counter(spent.retry_after is None for spent in found) == {True: 100, False: 100}
    assert sorted(spent.remaining for spent in found if spent.retry_after is None) == list(range(900, 1000))


def headers_of(response: Response) -> list[int]:
    return [int(response[f"X-RateLimit-{name}"]) for name in ("Limit", "Remaining", "Reset")]


def says_nothing(response: Response) -> bool:
    return not [name for name in response.headers if name.startswith(("X-RateLimit", "X-Auth"))]


@pytest.fixture
def rated(api: ApiClient) -> ApiClient:
    """The owner's client, with a token of the limited rate."""
    Token.objects.update(rate_type="limited")
    return api


@pytest.mark.django_db
def test_sixty_requests_a_minute_for_each_token(api: ApiClient, owner: Actor) -> None:
    assert [api.get("/user").status_code for _ in range(60)] == [200] * 60
    refused = api.get("/tokens")
    assert refused.status_code == 429
    assert 1 <= int(refused["Retry-After"]) <= 60
    body = refused.json()
    assert body["error"] == {"code": "rate_limited", "message": body["message"], "status": 429}
    assert ApiClient.signed_in(owner).get("/user").status_code == 200


@pytest.mark.django_db
def test_every_answer_to_a_token_says_what_is_left(rated: ApiClient, clock: Clock) -> None:
    answers = [
        rated.get("/user"),
        rated.get("/jobs/nothing"),
        rated.post("/tokens", {}),
        rated.post("/tokens", "not json"),
        rated.call("HEAD", "/user"),
    ]
    assert [answer.status_code for answer in answers] == [200, 404, 422, 422, 200]
    assert [headers_of(answer) for answer in answers] == [[100, 99 - n, NOON + 3600] for n in range(5)]


@pytest.mark.django_db
def test_a_request_without_the_right_counts_too(settings: Settings, owner: Actor, clock: Clock) -> None:
    settings.RATE_LIMIT_GENERAL = 2
    api = ApiClient.signed_in(owner, ["site:read"])
    answers = [api.get("/jobs") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [403, 403, 429]
    assert [headers_of(answer) for answer in answers] == [[2, 1, NOON + 60], [2, 0, NOON + 60], [2, 0, NOON + 60]]


@pytest.mark.django_db
def test_what_is_said_of_a_full_minute(rated: ApiClient, clock: Clock) -> None:
    for _ in range(10):
        assert rated.get("/user").status_code == 200
    clock.seconds += 20
    refused = rated.get("/user")
    assert (refused.status_code, refused["Retry-After"]) == (429, "40")
    assert headers_of(refused) == [10, 0, NOON + 60]


@pytest.mark.django_db
def test_a_replay_says_what_is_left_now(rated: ApiClient) -> None:
    answers = [rated.post("/tokens", {"name": "once"}, idempotency_key="a") for _ in range(2)]
    assert [headers_of(answer)[1] for answer in answers] == [99, 98]


@pytest.mark.django_db
def test_without_a_token_or_a_limit_nothing_is_said(api: ApiClient) -> None:
    anybody = ApiClient()
    for answer in (anybody.get("/schema"), anybody.get("/user"), anybody.post("/login", {}), anybody.get("/nothing")):
        assert says_nothing(answer)
    Token.objects.update(rate_type="unlimited")
    assert [api.get("/user").status_code for _ in range(100)] == [200] * 100
    assert says_nothing(api.get("/user"))


@pytest.mark.django_db
def test_a_limited_request_does_no_work(
    settings: Settings, api: ApiClient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    settings.RATE_LIMIT_GENERAL = 1
    api.get("/user")
    with django_assert_num_queries(1):
        assert api.get("/tokens").status_code == 429


@pytest.mark.django_db
def test_without_redis_each_process_counts_for_itself(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, api: ApiClient
) -> None:
    settings.RATE_LIMIT_GENERAL = 2
    meter = Meter("redis://127.0.0.1:9")
    monkeypatch.setattr(rates, "_meter", lambda: meter)
    assert [api.get("/user").status_code for _ in range(3)] == [200, 200, 429]
    assert "cannot be reached" in caplog.text


@pytest.mark.django_db
def test_debug_headers(rated: ApiClient) -> None:
    Token.objects.update(grants=["user:read", "site:*"])
    key_id = f"key_{Token.objects.get().public_id}"
    said = {
        "X-Auth-Key-ID": key_id,
        "X-Auth-Permissions": "user:read,site:*",
        "X-Auth-IP-Check": "passed",
    }
    for number, path in enumerate(("/user", "/jobs/nothing", "/jobs")):
        answer = rated.get(path, x_debug_auth="true")
        wanted = said | {"X-Auth-Rate-Limit": f"{99 - number}/100"}
        assert {name: value for name, value in answer.headers.items() if name.startswith("X-Auth")} == wanted
    assert not [name for name in rated.get("/user", x_debug_auth="false").headers if name.startswith("X-Auth")]
    assert says_nothing(ApiClient().get("/user", x_debug_auth="true"))
    Token.objects.update(rate_type="unlimited")
    assert rated.get("/user", x_debug_auth="true")["X-Auth-Rate-Limit"] == "unlimited"


@pytest.mark.django_db
def test_debug_headers_hold_nothing_that_ends_a_line(api: ApiClient) -> None:
    Token.objects.update(grants=["site:read\r\nSet-Cookie: a=b", "caf\u00e9:read"])
    answer = api.get("/user", x_debug_auth="true")
    assert answer["X-Auth-Permissions"] == "site:readSet-Cookie: a=b,caf:read"
    assert not answer.cookies


@pytest.mark.django_db
def test_the_test_endpoint_answers_without_an_envelope(rated: ApiClient) -> None:
    Token.objects.update(grants=["servers:read", "instances:*"])
    answer = rated.get("/auth/test")
    reset = datetime.fromtimestamp(headers_of(answer)[2], UTC)
    assert answer.json() == {
        "authenticated": True,
        "key_id": f"key_{Token.objects.get().public_id}",
        "permissions": ["servers:read", "instances:*"],
        "rate_limit": {"limit": 100, "remaining": 99, "reset": reset.strftime("%Y-%m-%dT%H:%M:%SZ")},
    }
    assert rated.get("/auth/test").json()["rate_limit"]["remaining"] == 98


@pytest.mark.django_db
def test_the_test_endpoint_with_a_token_that_has_no_limit(api: ApiClient) -> None:
    Token.objects.update(rate_type="unlimited")
    assert api.get("/auth/test").json()["rate_limit"] is None


@pytest.mark.django_db
def test_the_test_endpoint_without_a_token() -> None:
    answer = ApiClient().get("/auth/test")
    assert answer.status_code == 401
    assert answer.json()["error"] == {
        "code": "authentication_required",
        "message": "No authentication token provided",
        "status": 401,
    }
