"""Error bodies, exactly as clients read them."""

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from deploynix.actor import Actor
from deploynix.ids import new_id
from tests.apiclient import ApiClient, Response
from tokens.actions import create_token
from tokens.models import Token

pytestmark = pytest.mark.django_db


def error_of(response: Response) -> dict[str, Any]:
    body: dict[str, Any] = response.json()
    assert body["error"]["status"] == response.status_code
    assert body["error"]["message"] == body["message"]
    return body


def test_no_token() -> None:
    response = ApiClient().get("/user")
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert error_of(response)["error"] == {
        "code": "authentication_required",
        "message": "No authentication token provided",
        "status": 401,
    }


@pytest.mark.parametrize("header", ["junk", "Bearer", "Bearer junk", "Basic dTpw", "Bearer dnx_short", "Bearer é"])
def test_a_malformed_token_costs_no_query(header: str, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        response = ApiClient().get("/user", Authorization=header)
    assert response.status_code == 401
    assert error_of(response)["error"]["code"] == "invalid_token"


def test_a_missing_ability_is_named_with_where_to_grant_it(owner: Actor, member: Actor) -> None:
    response = ApiClient.signed_in(owner, ["site:deploy"]).get("/jobs")
    assert response.status_code == 403
    body = error_of(response)
    assert body["error"]["code"] == "insufficient_permissions"
    assert body["message"] == "This action needs the ability job:read."
    assert "Settings > API Tokens" in body["hint"]

    response = ApiClient.signed_in(member).post(f"/jobs/{new_id()}/cancel")
    assert response.status_code == 403
    assert "job:update" in response.json()["message"]
    assert "Your role, viewer" in response.json()["hint"]


@pytest.mark.parametrize("name", ["random", "foreign", "malformed", "unknown", "nul"])
def test_what_is_not_there_and_what_is_not_yours_are_the_same(name: str, api: ApiClient, outsider: Actor) -> None:
    foreign, _ = create_token(outsider, name="theirs")
    ids = {"random": new_id(), "foreign": foreign.pk, "malformed": "nonsense", "nul": "a%00b", "unknown": "a/b/c"}
    response = api.delete(f"/tokens/{ids[name]}")
    assert response.status_code == 404
    assert response.content == (
        b'{"message":"Nothing was found here.",'
        b'"error":{"code":"not_found","message":"Nothing was found here.","status":404}}'
    )
    assert not Token.objects.exclude(revoked_at=None).exists()


def test_another_method_is_405_and_says_which_are_allowed(api: ApiClient) -> None:
    response = api.put("/user", {})
    assert response.status_code == 405
    assert response["Allow"] == "GET, HEAD"
    assert error_of(response)["error"]["code"] == "method_not_allowed"


def test_head_is_a_get_without_a_body(api: ApiClient) -> None:
    response = api.call("HEAD", "/user")
    assert response.status_code == 200
    assert response.content == b""


def test_validation_names_the_fields(api: ApiClient) -> None:
    response = api.post("/tokens", {"abilities": "site:read", "colour": "red"})
    assert response.status_code == 422
    assert response.json() == {
        "message": "The given data was invalid.",
        "errors": {
            "colour": ["The colour field is not known."],
            "name": ["The name field is required."],
            "abilities": ["The abilities field must be an array."],
        },
        "error": {"code": "validation_failed", "message": "The given data was invalid.", "status": 422},
    }
    assert Token.objects.count() == 1


@pytest.mark.parametrize("body", ["[]", '"text"', "1", "null", "{", "\x00", '{"a": NaN}'])
def test_a_body_that_is_no_object_is_422(body: str, api: ApiClient) -> None:
    response = api.post("/tokens", body)
    assert response.status_code == 422
    assert list(error_of(response)["errors"]) == ["body"]


def test_another_content_type_is_415(api: ApiClient) -> None:
    for content_type in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", ""):
        response = api._client.generic(
            "POST", "/api/v1/tokens", "name=x", content_type, headers={"Authorization": f"Bearer {api.token}"}
        )
        assert response.status_code == 415, content_type
        assert error_of(response)["error"]["code"] == "unsupported_media_type"


def test_json_may_name_its_charset(api: ApiClient) -> None:
    headers = {"Authorization": f"Bearer {api.token}"}
    response = api._client.generic(
        "POST", "/api/v1/tokens", '{"name": "x"}', "application/json; charset=utf-8", headers=headers
    )
    assert response.status_code == 201


def test_an_empty_body_is_fine_where_nothing_is_required(api: ApiClient) -> None:
    assert api.post("/logout").status_code == 200


def test_fields_for_an_operation_that_takes_none_are_refused(api: ApiClient) -> None:
    response = api.post("/logout", {"everywhere": True})
    assert response.status_code == 422
    assert error_of(response)["errors"] == {"everywhere": ["The everywhere field is not known."]}


def test_a_too_large_body_is_413(api: ApiClient) -> None:
    response = api.post("/tokens", '{"name": "' + "x" * 3_000_000 + '"}')
    assert response.status_code == 413
    assert error_of(response)["error"]["code"] == "payload_too_large"


def test_a_failure_of_ours_tells_nothing_of_its_inside(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("hunter2")

    monkeypatch.setattr("tokens.api.views.user_data", fail)
    api._client.raise_request_exception = False
    response = api.get("/user")
    assert response.status_code == 500
    assert error_of(response)["error"]["code"] == "server_error"
    assert b"hunter2" not in response.content


def test_unknown_addresses_answer_json() -> None:
    for path in ("", "/nothing", "/tokens/"):
        response = ApiClient().get(path)
        assert response.status_code == 404
        assert error_of(response)["error"]["code"] == "not_found"
