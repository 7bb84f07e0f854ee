"""Rate limits in a real Redis: exact across processes, and still there while Redis is not."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from django.db import connection
from pytest_django import Settings

from deploynix.api import fallback, rates
from deploynix.api.rates import Meter, Rate, Window
from tests.apiclient import ApiClient
from tests.lab.spender import STANDARD
from tests.peers import Redis, wait_until
from tokens.models import Token

pytestmark = pytest.mark.lab


@pytest.fixture
def peer() -> Iterator[Redis]:
    """One for each test: they count in it, stop it and make it hang."""
    with Redis() as found:
        yield found


@pytest.fixture
def client(peer: Redis) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(peer.url) as found:
        yield found


@pytest.fixture
def shared(peer: Redis, settings: Settings) -> Iterator[None]:
    """Requests to the API are counted in the peer."""
    settings.RATE_LIMIT_STORAGE = peer.url
    rates.forget_spending()
    yield
    rates.forget_spending()


def counts(client: redis.Redis) -> dict[bytes, int]:
    """What stands in Redis, by window."""
    keys = list(client.scan_iter("deploynix:rate:*"))
    return {key.rpartition(b":")[2]: int(value) for key, value in zip(keys, client.mget(keys), strict=True) if value}


def spender(url: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.lab.spender", url]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_of_two_hundred_at_once_from_four_processes_exactly_a_hundred_get_through(
    peer: Redis, client: redis.Redis
) -> None:
    spenders = [spender(peer.url) for _ in range(4)]
    for process in spenders:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in spenders:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    assert sum(int(process.communicate(timeout=60)[0]) for process in spenders) == 100
    assert counts(client) == {b"hour": 100, b"minute": 100}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("shared")
def test_of_two_hundred_requests_to_the_api_exactly_a_hundred_are_answered(api: ApiClient) -> None:
    Token.objects.update(rate_type="standard")

    def request(_: int) -> int:
        try:
            return ApiClient(api.token).get("/auth/test").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        assert Counter(pool.map(request, range(200))) == {200: 100, 429: 100}


def test_a_refused_request_spends_neither_window(peer: Redis, client: redis.Redis) -> None:
    meter = Meter(peer.url)
    for _ in range(7):
        by_the_minute = meter.spend("token", Rate(100, 3).windows)
    assert (by_the_minute.limit, by_the_minute.remaining) == (3, 0)
    assert counts(client) == {b"hour": 3, b"minute": 3}
    client.delete("deploynix:rate:token:minute")
    for _ in range(7):
        by_the_hour = meter.spend("token", Rate(5, 3).windows)
    assert (by_the_hour.limit, by_the_hour.remaining) == (5, 0)
    assert counts(client) == {b"hour": 5, b"minute": 2}


def test_a_window_ends_by_itself_and_leaves_nothing(peer: Redis, client: redis.Redis) -> None:
    meter, windows = Meter(peer.url), [Window("hour", 3, 3_000), Window("minute", 1, 1_000)]
    first = meter.spend("token", windows)
    assert (first.remaining, first.retry_after) == (2, None)
    assert meter.spend("token", windows).retry_after == 1
    wait_until(lambda: meter.spend("token", windows).retry_after is None, 5, "the end of the window")
    wait_until(lambda: not counts(client), 10, "the end of the counters")


def test_the_time_is_that_of_redis(peer: Redis, client: redis.Redis) -> None:
    before = client.time()[0]
    spent = Meter(peer.url).spend("token", STANDARD)
    assert before + 3600 <= spent.reset_at <= client.time()[0] + 3601


def test_a_process_counts_for_itself_as_redis_does(peer: Redis) -> None:
    meters = Meter(peer.url), Meter("memory://")
    for rate, times in ((Rate(5, 3), 5), (Rate(8, 6), 5), (Rate(None, 7), 4), (Rate(4, None), 2), (Rate(None, 0), 1)):
        for _ in range(times):
            theirs, own = (meter.spend("token", rate.windows) for meter in meters)
            assert theirs[:2] == own[:2]
            assert (theirs.retry_after is None) == (own.retry_after is None)
            assert abs(theirs.reset_at - own.reset_at) <= 1


def test_a_redis_that_forgot_the_script_is_told_again(peer: Redis, client: redis.Redis) -> None:
    meter = Meter(peer.url)
    meter.spend("token", STANDARD)
    client.script_flush()
    assert meter.spend("token", STANDARD).remaining == 998


def test_a_counter_that_lost_its_end_begins_anew(peer: Redis, client: redis.Redis) -> None:
    meter = Meter(peer.url)
    windows = Rate(None, 1).windows
    meter.spend("token", windows)
    client.persist("deploynix:rate:token:minute")
    assert meter.spend("token", windows).retry_after is None
    assert 0 < client.pttl("deploynix:rate:token:minute") <= 60_000


@pytest.mark.django_db
def test_while_redis_is_stopped_requests_are_answered_and_limited(
    peer: Redis,
    client: redis.Redis,
    shared: None,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    api: ApiClient,
) -> None:
    monkeypatch.setattr(fallback, "PAUSE", 0.2)
    settings.RATE_LIMIT_GENERAL = 5
    assert [api.get("/user").status_code for _ in range(3)] == [200] * 3
    peer.stop()
    assert [api.get("/user").status_code for _ in range(7)] == [200] * 5 + [429] * 2
    peer.start()
    # Its counters are gone with it; what counts together again is seen in it.
    wait_until(lambda: api.get("/user").status_code == 200 and bool(counts(client)), 5, "counting together again")


def test_a_redis_that_hangs_is_waited_for_once(
    peer: Redis, client: redis.Redis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(fallback, "PAUSE", 600.0)
    meter = Meter(peer.url)
    meter.spend("token", STANDARD)
    client.client_pause(10_000)
    assert [meter.spend("token", STANDARD).remaining for _ in range(10)] == list(range(999, 989, -1))
    assert caplog.text.count("their storage cannot be reached") == 1
