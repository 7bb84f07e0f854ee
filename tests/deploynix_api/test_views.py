"""What a view offers to its handlers, besides what the other tests here reach through real endpoints."""

from typing import Any

import orjson
import pytest
from django.http import HttpRequest
from django.test import RequestFactory
from rest_framework import serializers

from deploynix.actor import Actor
from deploynix.api.operations import operation
from deploynix.api.permissions import ANY_TOKEN
from deploynix.api.serializers import Input, Output
from deploynix.api.views import Response, View
from jobs.models import Job
from tests.apiclient import ApiClient
from tokens.actions import create_token

pytestmark = pytest.mark.django_db
seen: list[dict[str, Any]] = []


class ThingOutput(Output):
    id = serializers.CharField()
    name = serializers.CharField()
    created_at = serializers.DateTimeField()


class ThingInput(Input):
    name = serializers.CharField()


class Thing(View):
    abilities = {"PUT": ANY_TOKEN, "PATCH": ANY_TOKEN, "POST": ANY_TOKEN}
    tag = "Things"

    @operation("Change a thing", input=ThingInput, one=ThingOutput)
    def put(self, request: HttpRequest) -> Response:
        seen.append(self.input(ThingInput))
        return Response({"data": {}})

    @operation("Change some of a thing", input=ThingInput, one=ThingOutput)
    def patch(self, request: HttpRequest) -> Response:
        return self.put(request)

    @operation("Work on a thing", status=202, job=True)
    def post(self, request: HttpRequest) -> Response:
        return self.accepted("Work started.", job=Job(id="01JAZ5QHVW3K9T6R8M2N4P7XYC"), data={"id": "x"})


def call(actor: Actor, method: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    _, text = create_token(actor, name="x")
    request = RequestFactory().generic(
        method, "/things", orjson.dumps(body), "application/json", headers={"Authorization": f"Bearer {text}"}
    )
    response = Thing.as_view()(request)
    return response.status_code, orjson.loads(response.content)


def test_read_only_fields_sent_back_are_ignored_and_unknown_ones_are_not(owner: Actor) -> None:
    seen.clear()
    whole = {"id": "x", "name": "new", "created_at": "2026-04-16T10:25:00Z"}
    assert call(owner, "PUT", whole)[0] == 200
    assert seen == [{"name": "new"}]
    status, body = call(owner, "PUT", whole | {"colour": "red"})
    assert status == 422
    assert list(body["errors"]) == ["colour"]


def test_a_put_needs_everything_and_a_patch_does_not(owner: Actor) -> None:
    assert call(owner, "PUT", {})[1]["errors"] == {"name": ["The name field is required."]}
    seen.clear()
    assert call(owner, "PATCH", {})[0] == 200
    assert seen == [{}]


def test_accepted_work_names_its_job(owner: Actor) -> None:
    assert call(owner, "POST", {}) == (
        202,
        {
            "message": "Work started.",
            "data": {"id": "x"},
            "job": {
                "id": "01JAZ5QHVW3K9T6R8M2N4P7XYC",
                "url": "http://testserver/api/v1/jobs/01JAZ5QHVW3K9T6R8M2N4P7XYC",
            },
        },
    )


def test_no_answer_is_kept_by_caches(api: ApiClient) -> None:
    for response in (api.get("/user"), api.get("/nothing"), ApiClient().get("/user")):
        assert response["Cache-Control"] == "no-store"


def test_secrets_are_in_no_log(api: ApiClient, caplog: pytest.LogCaptureFixture, monkeypatch: Any) -> None:
    password = "hunter2 hunter2"
    ApiClient().post("/login", {"email": "owner@acme.test", "password": password})
    ApiClient().post("/login", {"email": "owner@acme.test", "password": password, "colour": password})
    api.post("/tokens", {"name": 5, "abilities": [password]})
    api._client.raise_request_exception = False
    with monkeypatch.context() as patched:
        patched.setattr("tokens.api.views.sign_in", lambda *_, **__: 1 / 0)
        assert ApiClient(None).post("/nothing", {"password": password}).status_code == 404
        anybody = ApiClient()
        anybody._client.raise_request_exception = False
        assert anybody.post("/login", {"email": "a@acme.test", "password": password}).status_code == 500
    assert "ZeroDivisionError" in caplog.text
    assert password not in caplog.text
    assert api.token
    assert api.token not in caplog.text
