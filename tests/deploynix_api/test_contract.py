"""What the description promises is what every operation answers, whatever it is sent."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import orjson
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pytest_django import Settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from accounts.models import User
from deploynix.abilities import ROLES
from deploynix.actor import Actor
from deploynix.api.schema import description
from deploynix.http import Answer, Client
from organizations.models import Membership, Role
from tests import factories
from tests.everything import QUERIES, Everything, calls
from tests.examples import share
from tests.tokens.asking import token
from tokens.actions import create_token
from tokens.api.serializers import LoginInput
from tokens.models import RateType
from tokens.wire import TEST_PREFIX

pytestmark = [pytest.mark.django_db, pytest.mark.soak]
CHECKED = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]
PLACE = re.compile(r"([^/]+)/{(\w+)}")


_application = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Any) -> Any:
    """As a web server calls it, which knows the client's address."""
    return _application({**environ, "REMOTE_ADDR": "127.0.0.1"}, start_response)


def operations() -> dict[str, Any]:
    schema = schemathesis.openapi.from_dict(orjson.loads(description()))
    schema.app = application
    found: list[Any] = [result.ok() for result in schema.get_all_operations()]  # type: ignore[union-attr]
    return {operation.definition.raw["summary"]: operation for operation in found}


OPERATIONS = operations()
CALLS = {call.operation.summary: call for call in calls()}
# What stands in addresses beside ids: in the place of an id it leads to another operation.
WORDS = {part for operation in OPERATIONS.values() for part in operation.path.split("/")}


@pytest.fixture(autouse=True)
def _many_requests(settings: Settings) -> None:
    for name in ("AUTH", "DOWNLOADS", "GENERAL", "TOKENS"):
        setattr(settings, f"RATE_LIMIT_{name}", 10**9)


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """The application runs on the test's own connection, in its transaction: it must not close it."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def everything(owner: Actor) -> Everything:
    return Everything(owner)


@pytest.fixture(autouse=True)
def _nothing_at_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever they are asked for, they answer that it is not there."""
    monkeypatch.setattr(Client, "send", lambda *given, **options: Answer(404, {}, b"{}"))


@pytest.fixture(autouse=True)
def _open_to_strangers(db: None, settings: Settings) -> None:
    settings.REGISTRATION_OPEN = True
    Membership.objects.create(
        organization=factories.organization("Strangers"),
        user=User.objects.create_user(LoginInput.example["email"], LoginInput.example["password"]),
        role=Role.OWNER,
    )


@pytest.fixture
def sent(owner: Actor) -> dict[str, str]:
    return {"Authorization": f"Bearer {create_token(owner, name='tests')[1]}", "Host": "localhost"}


def ids_in(operation: Any, everything: Everything) -> dict[str, str]:
    return {name: everything.ids[collection] for collection, name in PLACE.findall(operation.path)}


def example_of(summary: str, everything: Everything) -> Any:
    """The case that the description gives as an example, in a state in which it can be done."""
    operation, call = OPERATIONS[summary], CALLS[summary]
    everything.prepare(call)
    query = dict(parse_qsl(QUERIES.get(summary, "").removeprefix("?")))
    body = {"body": everything.body(call), "media_type": "application/json"} if call.operation.input else {}
    return operation.Case(path_parameters=ids_in(operation, everything), query=query, **body)


def assert_as_described(case: Any, sent: dict[str, str]) -> Any:
    """Sends the case, undoes what it did, and checks the answer against the description."""
    case.headers = {**(case.headers or {}), **sent}
    with transaction.atomic():
        response = case.call()
        transaction.set_rollback(True)
    case.validate_response(response, checks=CHECKED)
    return response


def test_the_description_has_every_operation() -> None:
    assert OPERATIONS.keys() == CALLS.keys()


@pytest.mark.parametrize("summary", OPERATIONS)
def test_what_succeeds_is_answered_as_described(summary: str, everything: Everything, sent: dict[str, str]) -> None:
    response = assert_as_described(example_of(summary, everything), sent)
    assert response.status_code == CALLS[summary].operation.status


@pytest.mark.parametrize("summary", [name for name, call in CALLS.items() if call.method == "PATCH"])
def test_a_patch_needs_no_field(summary: str) -> None:
    # An access token never changes, whatever is sent.
    if CALLS[summary].operation.status != 409:
        assert not OPERATIONS[summary].definition.raw["requestBody"]["required"]


@pytest.mark.parametrize("summary", ["Delete a site", "Delete an instance"])
def test_what_is_forced_is_answered_as_described(summary: str, everything: Everything, sent: dict[str, str]) -> None:
    operation = OPERATIONS[summary]
    case = operation.Case(path_parameters=ids_in(operation, everything), query={"force": "true"})
    assert assert_as_described(case, sent).status_code == 204


@pytest.mark.parametrize("summary", [name for name, call in CALLS.items() if not call.is_public])
def test_a_test_key_is_answered_as_described(
    summary: str, everything: Everything, owner: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tokens.authentication.opened", lambda prefix, words, role: ROLES[role])
    sent = {"Authorization": f"Bearer {token(owner, TEST_PREFIX, rate_type=RateType.HIGH_VOLUME)}", "Host": "localhost"}
    response = assert_as_described(example_of(summary, everything), sent)
    assert response.status_code == (403 if summary == "Create a token" else CALLS[summary].operation.status)
    assert response.headers["x-dry-run"] == ["true"]


@pytest.mark.parametrize("summary", OPERATIONS)
def test_whatever_is_sent_is_answered_as_described(summary: str, everything: Everything, sent: dict[str, str]) -> None:
    operation = OPERATIONS[summary]
    known = ids_in(operation, everything)

    @settings(max_examples=share(20))
    @given(data=st.data(), mode=st.sampled_from(GenerationMode), is_known=st.booleans())
    def check(data: st.DataObject, mode: GenerationMode, is_known: bool) -> None:
        given = {"path_parameters": known} if known and is_known else {}
        case = data.draw(operation.as_strategy(mode, **given))
        assume(WORDS.isdisjoint(map(str, (case.path_parameters or {}).values())))
        assert_as_described(case, sent)

    check()
