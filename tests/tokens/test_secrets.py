"""What stands between a copy of the database and a token that works, and what a request costs the database."""

import hmac
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from deploynix.actor import Actor
from tests.apiclient import ApiClient
from tests.everything import Call, Everything, calls
from tests.tokens.asking import token, writes
from tokens.actions import create_access_token, create_api_key, create_token
from tokens.models import Token
from tokens.usage import noting, write_noted
from tokens.wire import PREFIXES, WireToken, digest, parse

pytestmark = pytest.mark.django_db
every_prefix = pytest.mark.parametrize("prefix", PREFIXES)
READING = [call for call in calls() if call.method == "GET" and not call.is_public]
# Reading that is told to the audit log.
AUDITED = {"GET backups/<str:backup>/download"}


@pytest.fixture(autouse=True)
def _empty_log() -> Iterator[None]:
    noting.uses.take()
    yield
    noting.uses.take()
    noting.failures.take()


def opens(text: str) -> bool:
    status = ApiClient(text).get("/auth/test").status_code
    assert status in (200, 401)
    return status == 200


@every_prefix
def test_what_was_made_before_another_pepper_was_added_and_after_it_works(
    prefix: str, owner: Actor, settings: Settings
) -> None:
    settings.TOKEN_PEPPERS = ["first"]
    before = token(owner, prefix)
    settings.TOKEN_PEPPERS = ["first", "second"]
    after = token(owner, prefix)
    assert [opens(before), opens(after)] == [True, True]
    settings.TOKEN_PEPPERS = ["", "second"]
    assert [opens(before), opens(after)] == [False, True]


def test_new_tokens_of_all_kinds_are_under_the_newest_pepper(owner: Actor, settings: Settings) -> None:
    settings.TOKEN_PEPPERS = ["first", "second", "third"]
    made = [
        create_token(owner, name="a token"),
        create_api_key(owner, name="a key", permissions=["servers:read"]),
        create_access_token(owner, name="an access token", scopes=["all"]),
    ]
    for row, text in made:
        wire = parse(text)
        assert wire is not None
        assert (row.pepper, row.digest) == (3, digest(wire, 3))


@every_prefix
@pytest.mark.parametrize("peppers", [["guessed"], ["guessed", "again"], [""], []])
def test_a_stolen_database_without_the_peppers_verifies_nothing(
    peppers: list[str], prefix: str, owner: Actor, settings: Settings
) -> None:
    """Not even the tokens that belong to its rows."""
    settings.TOKEN_PEPPERS = ["first", "second"]
    text = token(owner, prefix)
    assert opens(text)
    settings.TOKEN_PEPPERS = peppers or ["one", "two", "three"]
    assert not opens(text)


@every_prefix
def test_what_stands_in_the_database_opens_nothing(prefix: str, owner: Actor) -> None:
    wire = parse(token(owner, prefix))
    assert wire is not None
    row = Token.objects.get(public_id=wire.public_id)
    for stolen in (row.digest, row.digest[:30], row.public_id + row.digest[:14]):
        assert not opens(stolen)
        assert not opens(WireToken(prefix, wire.public_id, stolen[:30]).text)


@every_prefix
def test_an_unknown_id_and_a_wrong_secret_take_the_same_way(
    prefix: str, owner: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many queries and as many keyed digests of as much text, and the same answer."""
    wire = parse(token(owner, prefix))
    assert wire is not None
    hashed: list[int] = []
    new = hmac.new

    def counted(key: bytes, message: bytes, *rest: Any) -> hmac.HMAC:
        hashed.append(len(message))
        return new(key, message, *rest)

    monkeypatch.setattr("tokens.wire.hmac.new", counted)

    def cost(sent: WireToken) -> tuple[int, list[int], bytes]:
        hashed.clear()
        with CaptureQueriesContext(connection) as queries:
            answer = ApiClient(sent.text).get("/auth/test")
        assert answer.status_code == 401
        return len(queries), list(hashed), answer.content

    unknown = cost(WireToken(prefix, "0" * 16, wire.secret))
    assert unknown == cost(WireToken(prefix, wire.public_id, "0" * 30))
    assert unknown[:2] == (1, [len(wire.text)])


@pytest.mark.parametrize("call", READING, ids=str)
def test_reading_again_writes_nothing(call: Call, owner: Actor, api: ApiClient) -> None:
    """But where somebody gets at all that an organization has: the audit log says so each time."""
    everything = Everything(owner)
    address = call.address(everything.ids) + ("?name=auth" if "logs" in call.path else "")
    assert api.get(address).status_code == 200
    with CaptureQueriesContext(connection) as queries:
        assert api.get(address).status_code == 200
    assert queries.captured_queries
    written = [query for query in writes(queries) if not query.startswith('INSERT INTO "audit_auditevent"')]
    assert written == []
    assert bool(writes(queries)) == (str(call) in AUDITED)


def test_its_use_is_written_behind_it_and_not_twice_a_minute(owner: Actor) -> None:
    text = token(owner, "dnx_")
    assert opens(text)
    write_noted()
    assert Token.objects.get().use_count == 1
    with CaptureQueriesContext(connection) as queries:
        for _ in range(5):
            assert opens(text)
        write_noted()
    assert queries.captured_queries
    assert writes(queries) == []
