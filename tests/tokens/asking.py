"""Asks the API for any of its operations, with a token of any kind, at the least cost."""

from collections.abc import Mapping
from typing import Any

import orjson
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from deploynix.actor import Actor
from deploynix.api.middleware import ApiMiddleware
from deploynix.ids import new_id
from tests.everything import Call
from tokens.models import Environment, Kind, Token
from tokens.vocabularies import VOCABULARIES
from tokens.wire import ACCESS_PREFIX, PERSONAL_PREFIX, TEST_PREFIX, digest, new_token, newest_pepper

KINDS = {PERSONAL_PREFIX: Kind.PERSONAL, ACCESS_PREFIX: Kind.ACCESS}
ADDRESS = "198.51.100.7"


def kind_of(prefix: str) -> Kind:
    return KINDS.get(prefix, Kind.API_KEY)


def token(actor: Actor, prefix: str, **fields: Any) -> str:
    """The text of a new token of the actor's, which carries the whole vocabulary unless `fields` say otherwise."""
    assert actor.user is not None
    wire, pepper = new_token(prefix), newest_pepper()
    defaults = {
        "kind": kind_of(prefix),
        "grants": list(VOCABULARIES[prefix].opens),
        "environment": Environment.TEST if prefix == TEST_PREFIX else Environment.LIVE,
        "prefix": prefix,
        "public_id": wire.public_id,
        "digest": digest(wire, pepper),
        "pepper": pepper,
    }
    Token.objects.create(organization=actor.organization, user=actor.user, **defaults | fields)
    return wire.text


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


class MadeUp(dict[str, str]):
    """An id for each collection, of something that does not exist."""

    def __missing__(self, collection: str) -> str:
        return new_id()


def ask(
    call: Call,
    headers: Mapping[str, str],
    *,
    method: str = "",
    ids: Mapping[str, str] | None = None,
    body: bytes = b"",
    content_type: str = "application/json",
) -> HttpResponse:
    """The API's answer, as its middleware gives it."""
    path = f"/api/v1{call.address(MadeUp(ids or {}))}"
    request = RequestFactory().generic(
        method or call.method, path, body, content_type, headers=headers, SERVER_NAME="localhost", REMOTE_ADDR=ADDRESS
    )
    return ApiMiddleware(_elsewhere)(request)


def ask_undone(call: Call, headers: Mapping[str, str], **asked: Any) -> HttpResponse:
    """The same, and what it did is undone."""
    with transaction.atomic():
        response = ask(call, headers, **asked)
        transaction.set_rollback(True)
    return response


def _elsewhere(request: HttpRequest) -> HttpResponse:
    raise AssertionError(f"{request.path} is no address of the API")


def writes(queries: CaptureQueriesContext) -> list[str]:
    """Those that change something. Of a prepared query, which only reads, PostgreSQL's driver keeps no text."""
    texts = [query["sql"] or "" for query in queries]
    return [text for text in texts if text.startswith(("INSERT", "UPDATE", "DELETE"))]


def error_of(response: HttpResponse) -> tuple[int, str]:
    """The status, which the body repeats, and the error's code."""
    error = orjson.loads(response.content)["error"]
    assert error["status"] == response.status_code
    return response.status_code, error["code"]
