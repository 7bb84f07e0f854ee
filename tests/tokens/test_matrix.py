"""Every operation of the API, asked with every kind of token in every state: who gets in, and what others are told.

Operations come from the URL resolver, words from the vocabularies. What must be refused is asked with a body that
nothing can read and an id that does not exist: whoever looks at either first answers 415, 422 or 404.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from argon2 import PasswordHasher
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from deploynix.abilities import ABILITIES, ROLES
from deploynix.actor import Actor
from deploynix.api.permissions import ANY_TOKEN
from deploynix.api.routes import api_routes
from organizations.models import Membership, Organization
from tests import factories
from tests.everything import Call, calls
from tests.tokens.asking import ADDRESS, ask, ask_undone, bearer, error_of, kind_of, token, writes
from tokens import authentication, passphrase
from tokens.errors import page_of
from tokens.models import RateType
from tokens.usage import noting
from tokens.vocabularies import VOCABULARIES, opened
from tokens.wire import PREFIXES, WireToken, new_token, parse

pytestmark = pytest.mark.django_db
CALLS = calls()
CLOSED = [call for call in CALLS if not call.is_public]
UNREADABLE: dict[str, Any] = {"body": b"{", "content_type": "text/plain"}
PASSPHRASE = "open sesame"
every_prefix = pytest.mark.parametrize("prefix", PREFIXES)


@pytest.fixture(autouse=True)
def _many_requests(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AUTH", "DOWNLOADS", "GENERAL", "TOKENS", "PASSPHRASE"):
        setattr(settings, f"RATE_LIMIT_{name}", 10**6)
    # What keeps guesses slow.
    monkeypatch.setattr(authentication, "REFUSAL_SECONDS", 0.0)
    monkeypatch.setattr(passphrase, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    yield
    noting.uses.take()
    noting.failures.take()


def ability_of(call: Call) -> str:
    return call.view.abilities[call.method]


@dataclass(frozen=True)
class Refused:
    """A request that opens nothing, whatever is asked for. `fields` are columns of its token, `befalls` what happens
    to its maker, `sent` the headers that are sent instead of the token, `queries` what finding out costs."""

    status: int
    code: str
    fields: Callable[[], dict[str, Any]] = dict
    befalls: Callable[[Actor], object] = lambda actor: None
    sent: Callable[[str], Mapping[str, str]] = bearer
    queries: int = 1


def _otherwise(text: str, **parts: str) -> Mapping[str, str]:
    """The token with other parts, and a checksum that fits."""
    wire = parse(text)
    assert wire is not None
    return bearer(WireToken(**{"prefix": wire.prefix, "public_id": wire.public_id, "secret": wire.secret} | parts).text)


def _protected() -> dict[str, Any]:
    return {"passphrase": passphrase.hash_passphrase(PASSPHRASE)}


STATES = {
    "no token": Refused(401, "authentication_required", sent=lambda text: {}, queries=0),
    "an empty one": Refused(401, "invalid_token", sent=lambda text: bearer(""), queries=0),
    "a typo": Refused(401, "invalid_token", sent=lambda text: bearer(text[:-1] + "é"), queries=0),
    "another scheme": Refused(401, "invalid_token", sent=lambda text: {"Authorization": f"Basic {text}"}, queries=0),
    "an unknown id": Refused(401, "invalid_token", sent=lambda text: _otherwise(text, public_id="0" * 16)),
    "a wrong secret": Refused(401, "invalid_token", sent=lambda text: _otherwise(text, secret="0" * 30)),
    "another kind": Refused(
        401,
        "invalid_token",
        sent=lambda text: _otherwise(text, prefix=next(one for one in PREFIXES if not text.startswith(one))),
    ),
    "revoked": Refused(401, "invalid_token", lambda: {"revoked_at": timezone.now()}),
    "expired": Refused(401, "expired_token", lambda: {"expires_at": timezone.now()}),
    "inactive": Refused(401, "inactive_key", lambda: {"is_active": False}),
    "a wrong address": Refused(403, "ip_restricted", lambda: {"ip_allowlist": ["203.0.113.0/24", "2001:db8::/32"]}),
    "no passphrase": Refused(401, "passphrase_required", _protected),
    "a wrong passphrase": Refused(
        401, "passphrase_required", _protected, sent=lambda text: bearer(text) | {passphrase.HEADER: "open barley"}
    ),
    "a maker who left": Refused(
        401, "invalid_token", befalls=lambda actor: Membership.objects.filter(user=actor.user).delete()
    ),
    "a maker who is locked out": Refused(
        401, "invalid_token", befalls=lambda actor: User.objects.filter(email=str(actor)).update(is_active=False)
    ),
    "a plan without the API": Refused(
        403,
        "insufficient_permissions",
        befalls=lambda actor: Organization.objects.filter(pk=actor.organization.pk).update(plan="free"),
    ),
}


def test_no_operation_is_left_out() -> None:
    asked = {(call.method, call.path.replace("<str:", "{").replace(">", "}")) for call in CALLS}
    assert asked == {(route.method, route.path.removeprefix("/api/v1/")) for route in api_routes()}
    assert len(CALLS) == len(api_routes()) > 90
    assert {ability_of(call) for call in CLOSED} <= {*ABILITIES, ANY_TOKEN}


def test_these_operations_and_no_others_are_public() -> None:
    assert sorted(str(call) for call in CALLS if call.is_public) == [
        "GET schema",
        "POST login",
        "POST register",
        "POST tokens/leaked",
    ]


@every_prefix
@pytest.mark.parametrize("carries", ["everything", "nothing"])
@pytest.mark.parametrize("state", STATES)
def test_who_is_refused_is_refused_before_anything_else(state: str, carries: str, prefix: str, owner: Actor) -> None:
    refused = STATES[state]
    words: dict[str, Any] = {"grants": []} if carries == "nothing" else {}
    sent = refused.sent(token(owner, prefix, **refused.fields(), **words))
    refused.befalls(owner)
    with CaptureQueriesContext(connection) as queries:
        for call in CLOSED:
            assert error_of(ask(call, sent, **UNREADABLE)) == (refused.status, refused.code), str(call)
    assert len(queries) == len(CLOSED) * refused.queries
    assert writes(queries) == []


@every_prefix
@pytest.mark.parametrize("role", ROLES)
def test_a_token_with_every_word_opens_what_its_words_and_the_role_of_its_maker_do(
    role: str, prefix: str, organization: Organization
) -> None:
    sent = bearer(token(factories.actor(organization, role), prefix, rate_type=RateType.UNLIMITED))
    words = tuple(VOCABULARIES[prefix].opens)
    for call in CLOSED:
        if ability_of(call) in {ANY_TOKEN, *opened(prefix, words, role)}:
            assert_let_in(call, sent)
        else:
            assert_lacks_ability(call, sent, role, prefix)


@every_prefix
def test_an_operation_opens_to_each_word_for_it_and_not_to_all_others_together(prefix: str, owner: Actor) -> None:
    made: dict[tuple[str, ...], Mapping[str, str]] = {}

    def carrying(*words: str) -> Mapping[str, str]:
        if words not in made:
            made[words] = bearer(token(owner, prefix, grants=words, rate_type=RateType.UNLIMITED))
        return made[words]

    opens = VOCABULARIES[prefix].opens
    for call in CLOSED:
        ability = ability_of(call)
        if ability == ANY_TOKEN:
            assert_let_in(call, carrying())
            continue
        fitting = [word for word in opens if ability in opens[word]]
        for word in fitting:
            assert_let_in(call, carrying(word))
        assert_lacks_ability(call, carrying(*(word for word in opens if word not in fitting)), "owner", prefix)


@every_prefix
def test_the_right_address_and_passphrase_open_it(prefix: str, owner: Actor) -> None:
    text = token(owner, prefix, ip_allowlist=[f"{ADDRESS}/32"], rate_type=RateType.UNLIMITED, **_protected())
    sent = bearer(text) | {passphrase.HEADER: PASSPHRASE}
    for call in CLOSED:
        if ability_of(call) in {ANY_TOKEN, *opened(prefix, tuple(VOCABULARIES[prefix].opens), "owner")}:
            assert_let_in(call, sent)


@every_prefix
def test_nobody_needs_a_good_token_for_what_is_public(prefix: str) -> None:
    sent = bearer(new_token(prefix).text)
    for call in CALLS:
        if call.is_public:
            assert ask_undone(call, sent).status_code in (200, 422), str(call)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"])
def test_a_method_that_an_address_does_not_have_is_refused_to_all(method: str) -> None:
    by_path: dict[str, list[Call]] = {}
    for call in CALLS:
        by_path.setdefault(call.path, []).append(call)
    for path, known in by_path.items():
        methods = {call.method for call in known}
        if method in methods or (method == "HEAD" and "GET" in methods):
            continue
        response = ask(known[0], {}, method=method, **UNREADABLE)
        assert response.status_code == 405, (method, path)
        assert set(response["Allow"].split(", ")) == methods | ({"HEAD"} if "GET" in methods else set()), path


def test_asking_for_the_headers_alone_needs_what_reading_does(owner: Actor) -> None:
    for call in CLOSED:
        if call.method == "GET":
            assert ask(call, {}, method="HEAD").status_code == 401, str(call)


def assert_let_in(call: Call, sent: Mapping[str, str]) -> None:
    response = ask_undone(call, sent)
    assert response.status_code not in (401, 403), (str(call), response.content)
    assert response.status_code < 500, str(call)
    assert response.status_code == 404 or not call.places, (str(call), response.content)


def assert_lacks_ability(call: Call, sent: Mapping[str, str], role: str, prefix: str) -> None:
    """403, which names the ability and where to get it."""
    with CaptureQueriesContext(connection) as queries:
        response = ask(call, sent, **UNREADABLE)
    assert len(queries) == 1, str(call)
    assert error_of(response) == (403, "insufficient_permissions"), str(call)
    body = orjson.loads(response.content)
    ability = ability_of(call)
    assert ability in body["message"], str(call)
    assert (page_of(kind_of(prefix)) if ability in ROLES[role] else "Settings > Members") in body["hint"], str(call)
