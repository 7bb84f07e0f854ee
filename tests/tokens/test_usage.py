"""What is noted about the use of tokens, and how it gets written."""

import gc
import multiprocessing
import tracemalloc
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connections
from django.test import RequestFactory
from django.urls import resolve
from pytest_django import DjangoAssertNumQueries

from deploynix.actor import Actor
from tests.apiclient import ApiClient
from tests.tokens.clock import Clock
from tokens import usage
from tokens.actions import create_token
from tokens.models import Token, TokenCaller, TokenDay, TokenNetwork
from tokens.usage import noting, writer
from tokens.usage.retention import forget_old_use

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty_log() -> None:
    noting.uses.take()
    noting.failures.take()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def token(owner: Actor) -> Token:
    return Token.objects.get(pk=create_token(owner, name="x")[0].pk)


def use(text: str, times: int = 1, **headers: str) -> None:
    for _ in range(times):
        assert ApiClient(text).get("/user", **headers).status_code == 200


def actor_of(token: Token, ip: str = "203.0.113.9") -> Actor:
    return Actor(organization=token.organization, abilities=frozenset(), user=token.user, token_id=token.pk, ip=ip)


def note(token: Token, *, ip: str = "203.0.113.9", agent: str = "curl/8", ability: str = "site:read") -> None:
    request = RequestFactory().get("/api/v1/sites", headers={"User-Agent": agent})
    request.resolver_match = resolve(request.path)
    usage.note_use(request, actor_of(token, ip), ability)


def test_a_request_writes_nothing_and_a_moment_later_its_use_shows(owner: Actor, clock: Clock) -> None:
    token, text = create_token(owner, name="x")
    use(text, 3)
    assert Token.objects.filter(pk=token.pk, last_used_at=None).exists()
    usage.write_noted()
    token.refresh_from_db()
    assert (token.use_count, token.last_used_ip, token.last_used_at) == (3, "127.0.0.1", clock.now)


def test_a_get_in_steady_state_asks_no_more_than_without_watching(
    owner: Actor, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    _, text = create_token(owner, name="x")
    use(text, 2)
    with django_assert_max_num_queries(1) as asked:
        use(text)
    assert all(query["sql"].startswith("SELECT") for query in asked.captured_queries)


def test_it_is_told_who_used_the_token_for_what(owner: Actor) -> None:
    token, text = create_token(owner, name="x", abilities=["site:read"])
    api = ApiClient(text)
    for _ in range(2):
        assert api.get("/sites", User_Agent="deployer/2").status_code == 200
    assert api.get("/servers/x/sites/y", User_Agent="deployer/2").status_code == 404
    assert api.get("/user").status_code == 200
    usage.write_noted()
    callers = token.callers.order_by("route").values_list("ip", "agent", "route", "count")
    assert list(callers) == [
        ("127.0.0.1", "deployer/2", "GET /api/v1/servers/{server}/sites/{site}", 1),
        ("127.0.0.1", "deployer/2", "GET /api/v1/sites", 2),
        ("127.0.0.1", "", "GET /api/v1/user", 1),
    ]
    assert list(token.used_abilities.values_list("ability", "count")) == [("site:read", 3)]
    assert list(token.networks.values_list("network", "country")) == [("127.0.0.0/24", "")]
    assert list(token.days.values_list("count", flat=True)) == [4]


def test_a_request_that_lacks_the_ability_is_no_use(owner: Actor) -> None:
    token, text = create_token(owner, name="x", abilities=["site:read"])
    assert ApiClient(text).get("/servers").status_code == 403
    usage.write_noted()
    assert not token.used_abilities.exists()
    assert not token.callers.exists()


def test_a_token_is_written_at_most_once_a_minute(
    owner: Actor, clock: Clock, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    token, text = create_token(owner, name="x")
    use(text)
    usage.write_noted()
    use(text, 2)
    usage.write_noted()
    token.refresh_from_db()
    assert token.use_count == 1
    clock.advance(seconds=61)
    usage.write_noted()
    token.refresh_from_db()
    assert token.use_count == 3, "what waited is not lost"
    with django_assert_num_queries(0):
        usage.write_noted()


def test_many_tokens_are_written_with_few_queries(
    owner: Actor, clock: Clock, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    tokens = [create_token(owner, name="x")[0] for _ in range(40)]
    for _ in range(2):
        for token in tokens:
            note(token)
        # One update for each token's own row; the rest is shared.
        with django_assert_max_num_queries(40 + 20):
            usage.write_noted()
        clock.advance(seconds=61)
    assert set(TokenCaller.objects.values_list("count", flat=True)) == {2}


def test_midnight_parts_the_days(token: Token, clock: Clock) -> None:
    clock.now = clock.now.replace(hour=23, minute=59, second=59)
    note(token)
    clock.advance(seconds=2)
    note(token)
    note(token)
    usage.write_noted()
    today = clock.now.date()
    assert dict(token.days.values_list("day", "count")) == {today - timedelta(days=1): 1, today: 2}


def test_a_process_that_ends_writes_everything(owner: Actor) -> None:
    token, text = create_token(owner, name="x")
    use(text)
    usage.write_noted()
    use(text)
    usage.write_noted(everything=True)
    token.refresh_from_db()
    assert token.use_count == 2


def test_what_cannot_be_written_is_kept(owner: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    token, text = create_token(owner, name="x")
    use(text, 2)
    with monkeypatch.context() as patched:
        patched.setattr(writer, "write_networks", lambda *_: (_ for _ in ()).throw(DatabaseError("gone")))
        usage.write_noted()
    token.refresh_from_db()
    assert (token.use_count, token.days.count()) == (0, 0), "all of it or nothing"
    use(text)
    usage.write_noted()
    token.refresh_from_db()
    assert (token.use_count, token.days.get().count) == (3, 3)


def test_a_deleted_token_is_forgotten(owner: Actor, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    token, text = create_token(owner, name="x")
    use(text)
    token.delete()
    usage.write_noted()
    with django_assert_num_queries(0):
        usage.write_noted()


def test_a_refused_token_counts_no_use_but_a_failure(owner: Actor, clock: Clock) -> None:
    token, text = create_token(owner, name="x")
    Token.objects.update(revoked_at=clock.now)
    for _ in range(3):
        assert ApiClient(text).get("/user").status_code == 401
    usage.write_noted()
    token.refresh_from_db()
    assert token.use_count == 0
    failure = token.failures.get()
    assert (failure.code, failure.ip, failure.day, failure.count) == ("invalid_token", "127.0.0.1", clock.now.date(), 3)


def test_failures_are_written_at_most_once_a_minute(token: Token, clock: Clock) -> None:
    usage.note_failure(token.pk, "expired_token", "203.0.113.9")
    usage.write_noted()
    usage.note_failure(token.pk, "expired_token", "203.0.113.9")
    usage.note_failure(token.pk, "ip_restricted", None)
    usage.write_noted()
    assert token.failures.get().count == 1
    clock.advance(seconds=61)
    usage.write_noted()
    assert dict(token.failures.values_list("code", "count")) == {"expired_token": 2, "ip_restricted": 1}


def test_an_unknown_address_has_one_row(token: Token, clock: Clock) -> None:
    for _ in range(2):
        usage.note_failure(token.pk, "invalid_token", None)
        usage.write_noted()
        clock.advance(seconds=61)
    assert token.failures.get().count == 2


@pytest.mark.parametrize(
    ("ip", "stored", "network"),
    [
        ("2001:db8:1:2::ffff", "2001:db8:1:2::ffff", "2001:db8:1::/48"),
        ("::ffff:203.0.113.9", "203.0.113.9", "203.0.113.0/24"),
        ("::ffff:cb00:7109", "203.0.113.9", "203.0.113.0/24"),
        ("::203.0.113.9", "::203.0.113.9", "::/48"),
    ],
)
def test_each_way_to_write_an_address_is_one_caller(
    token: Token, clock: Clock, ip: str, stored: str, network: str
) -> None:
    for _ in range(2):
        note(token, ip=ip)
        usage.write_noted()
        clock.advance(seconds=61)
    caller = token.callers.get()
    assert (caller.count, token.networks.get().network) == (2, network)
    assert caller.ip in (stored, "::cb00:7109")


def test_what_a_client_sends_as_its_name_can_always_be_stored(token: Token) -> None:
    note(token, agent="a\0b" + "é" * 400)
    usage.write_noted()
    assert token.callers.get().agent == "ab" + "é" * 252


def test_a_flood_of_callers_takes_no_room_but_is_counted(token: Token, clock: Clock) -> None:
    def flood(numbers: range) -> None:
        for number in numbers:
            note(token, agent=f"agent/{number}", ip=f"198.51.{number % 250}.9")
            usage.note_failure(token.pk, "invalid_token", f"198.51.{number % 250}.{number % 199}")

    flood(range(250))
    tracemalloc.start()
    flood(range(250, 1_250))
    gc.collect()
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 50_000
    usage.write_noted()
    token.refresh_from_db()
    assert token.use_count == 1_250
    assert token.callers.count() == noting.ROOM
    assert token.used_abilities.get().count == 1_250
    assert sum(token.failures.values_list("count", flat=True)) == 1_250
    assert token.failures.count() <= noting.ROOM + 1
    clock.advance(seconds=61)
    note(token, agent="the latest")
    usage.write_noted()
    assert token.callers.count() == noting.ROOM
    assert token.callers.filter(agent="the latest").exists(), "the oldest goes, not the newest"


def test_networks_do_not_grow_without_end(token: Token, clock: Clock) -> None:
    for round_number in range(3):
        for number in range(150):
            note(token, ip=f"198.{18 + round_number}.{number}.9")
        usage.write_noted()
        clock.advance(seconds=61)
    assert token.networks.count() == noting.ROOM


def test_failures_from_everywhere_do_not_grow_without_end(token: Token, clock: Clock) -> None:
    clock.now = clock.now.replace(hour=12)
    for round_number in range(4):
        for number in range(150):
            usage.note_failure(token.pk, "invalid_token", f"198.{round_number}.{number}.9")
        usage.write_noted()
        clock.advance(seconds=61)
    assert token.failures.count() == 301
    assert token.failures.get(ip="").count == 300
    assert sum(token.failures.values_list("count", flat=True)) == 600


def test_what_is_old_is_forgotten(token: Token, clock: Clock) -> None:
    note(token)
    usage.note_failure(token.pk, "invalid_token", None)
    usage.write_noted()
    clock.advance(days=90)
    assert forget_old_use() == 0
    clock.advance(days=1, seconds=1)
    assert forget_old_use() == 2
    assert not token.callers.exists()
    assert not token.failures.exists()
    clock.advance(days=309)
    assert forget_old_use() == 0
    clock.advance(days=1)
    assert forget_old_use() == 1
    assert not TokenDay.objects.exists()
    assert TokenNetwork.objects.exists(), "what networks a token is known from is not forgotten"


def test_noting_takes_microseconds(token: Token) -> None:
    """Generously: a busy machine must not fail it, but a query or a regular expression would."""
    import timeit

    request: Any = RequestFactory().get("/api/v1/sites", headers={"User-Agent": "curl/8"})
    request.resolver_match = resolve(request.path)
    actor = actor_of(token)
    best = min(timeit.repeat(lambda: usage.note_use(request, actor, "site:read"), number=1000, repeat=5)) / 1000
    assert best < 50e-6


@pytest.mark.django_db(transaction=True)
def test_several_processes_write_at_once_and_lose_nothing(owner: Actor, token: Token) -> None:
    other = Token.objects.get(pk=create_token(owner, name="other")[0].pk)
    connections.close_all()
    fork = multiprocessing.get_context("fork")
    ready = fork.Barrier(4)
    processes = [fork.Process(target=_work, args=(ready, [token, other])) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    for counted in (token, other):
        counted.refresh_from_db()
        assert counted.use_count == 60
        assert [row.count for row in counted.days.all()] == [60]
        assert sorted(counted.callers.values_list("agent", "count")) == [("curl/8", 40), ("wget", 20)]
        assert [row.count for row in counted.used_abilities.all()] == [60]
        assert [row.count for row in counted.failures.all()] == [20]
        assert counted.networks.count() == 1


def _work(ready: Any, tokens: list[Token]) -> None:
    for _ in range(5):
        ready.wait(30)
        for token in tokens:
            note(token)
            note(token)
            note(token, agent="wget")
            usage.note_failure(token.pk, "invalid_token", "203.0.113.9")
        usage.write_noted(everything=True)
    connections.close_all()
