"""Tokens while several web processes answer at once: revoked, limited, and under new peppers."""

from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from pytest_django import Settings

from deploynix.actor import Actor
from organizations.models import Role
from tests import factories
from tests.examples import share
from tests.lab.webs import Load, ask, web, webs
from tests.lab.workers import Workers
from tests.peers import Redis
from tests.tokens.asking import token
from tokens.actions import create_token
from tokens.models import RateType, Token
from tokens.wire import LIVE_PREFIX, PERSONAL_PREFIX, PREFIXES

pytestmark = [pytest.mark.lab, pytest.mark.soak, pytest.mark.django_db(transaction=True)]
again_and_again = pytest.mark.parametrize("time", range(share(100)))


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    """One of their own: limits are counted in it."""
    with Redis() as server:
        yield server


@pytest.fixture
def environment(redis: Redis, tmp_path: Path) -> Mapping[str, str]:
    (tmp_path / "data" / "static").mkdir(parents=True)
    return {**Workers(redis.url, tmp_path).environment, "RATE_LIMIT_GENERAL": "1000000"}


@pytest.fixture
def owner() -> Actor:
    return factories.actor(factories.organization(), Role.OWNER)


@again_and_again
def test_a_token_that_is_revoked_under_load_opens_nothing_from_the_next_request_on(
    time: int, owner: Actor, environment: Mapping[str, str], tmp_path: Path
) -> None:
    row, text = create_token(owner, name="revoked")
    admin = token(owner, PERSONAL_PREFIX)
    with webs(3, tmp_path, environment) as ports, Load(ports, [text]) as load:
        load.wait_for_more(20)
        revoked = ask(ports[0], admin, f"/tokens/{row.pk}", "DELETE")
        assert revoked.status == 204
        load.wait_for_more(20)
    assert load.failures == []
    before = {asked.status for _, asked in load.asked if asked.ended < revoked.began}
    afterwards = [(port, asked.status) for port, asked in load.asked if asked.began > revoked.ended]
    assert before == {200}
    assert set(afterwards) == {(port, 401) for port in ports}


@again_and_again
def test_of_two_hundred_requests_to_several_processes_exactly_a_hundred_get_through(
    time: int, owner: Actor, environment: Mapping[str, str], tmp_path: Path
) -> None:
    text = token(owner, LIVE_PREFIX, rate_type=RateType.STANDARD)
    with webs(3, tmp_path, environment) as ports, ThreadPoolExecutor(40) as clients:
        statuses = Counter(clients.map(lambda turn: ask(ports[turn % 3], text).status, range(200)))
    assert statuses == {200: 100, 429: 100}


def test_peppers_are_added_while_requests_run(
    owner: Actor, environment: Mapping[str, str], tmp_path: Path, settings: Settings
) -> None:
    """One web process after the other is replaced by one that knows a newer pepper, too; nobody notices."""
    settings.TOKEN_PEPPERS = ["first"]
    old = [token(owner, prefix, rate_type=RateType.UNLIMITED) for prefix in PREFIXES]
    first = {**environment, "TOKEN_PEPPERS": "first"}
    second = {**environment, "TOKEN_PEPPERS": "first,second"}
    with ExitStack() as leaving, webs(2, tmp_path, second) as later:
        stacks = [leaving.enter_context(ExitStack()) for _ in later]
        ports = [stack.enter_context(web(tmp_path, first)) for stack in stacks]
        with Load(ports, old, clients=len(PREFIXES)) as load:
            load.wait_for_more(10)
            for stack, added in zip(stacks, later, strict=True):
                load.ports = [*load.ports[1:], added]
                load.wait_for_more(10)
                stack.close()
            load.wait_for_more(10)
        settings.TOKEN_PEPPERS = ["first", "second"]
        new = [token(owner, prefix, rate_type=RateType.UNLIMITED) for prefix in PREFIXES]
        assert set(Token.objects.values_list("pepper", flat=True)) == {1, 2}
        with Load(later, [*old, *new], clients=2 * len(PREFIXES)) as both:
            both.wait_for_more(20)
    assert load.failures == both.failures == []
    assert {asked.status for _, asked in load.asked + both.asked} == {200}
