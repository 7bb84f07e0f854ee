"""Walks every URL: no API view goes without an ability, an operation and its description."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.views import APIView

from deploynix.abilities import ABILITIES
from deploynix.api.operations import operation_of
from deploynix.api.permissions import ANY_TOKEN, PUBLIC
from deploynix.api.schema import description
from deploynix.api.views import View
from deploynix.ids import new_id

METHODS = ("get", "post", "put", "patch", "delete", "options", "head", "trace")


def walk(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from walk(pattern.url_patterns, path)
        else:
            yield path, pattern.callback


def api_views() -> dict[str, type[Any]]:
    found = {path: getattr(view, "cls", None) for path, view in walk(get_resolver().url_patterns)}
    return {path: cls for path, cls in found.items() if cls is not None and issubclass(cls, APIView)}


VIEWS = sorted(api_views().items())


@pytest.mark.parametrize(("path", "view"), VIEWS, ids=[path for path, _ in VIEWS])
def test_each_method_declares_its_ability_and_operation(path: str, view: type[Any]) -> None:
    assert issubclass(view, View), f"{path} must derive from deploynix.api.views.View"
    handlers = {method.upper() for method in METHODS if method in vars(view)}
    assert handlers == set(view.abilities), f"{path}: handlers and abilities differ"
    for method, ability in view.abilities.items():
        assert ability in ABILITIES or ability in (ANY_TOKEN, PUBLIC), f"{path} {method}: no such ability"
        assert operation_of(getattr(view, method.lower())).summary
    assert view.tag, f"{path} has no tag"


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in orjson.loads(description())["paths"].items():
        for method, described in methods.items():
            yield path, method.upper(), described


def test_each_operation_is_described() -> None:
    declared = sorted((view.tag, method, ability) for _, view in VIEWS for method, ability in view.abilities.items())
    described = sorted((one["tags"][0], method, one["x-ability"]) for _, method, one in operations())
    assert described == declared


def test_each_operation_says_what_it_needs_and_what_can_go_wrong() -> None:
    for path, method, one in operations():
        where = f"{method} {path}"
        assert "Needs" in one["description"], where
        assert one.get("security", []) == ([] if one["x-ability"] == PUBLIC else [{"bearer": []}]), where
        assert {"422", "429"} <= set(one["responses"]), where
        assert one["x-ability"] == PUBLIC or {"401", "403"} <= set(one["responses"]), where
        assert "{" not in path or "404" in one["responses"], where


def test_each_body_has_an_example() -> None:
    for path, method, one in operations():
        bodies = [one["requestBody"]] if "requestBody" in one else []
        bodies += [answer for answer in one["responses"].values() if "content" in answer]
        for body in bodies:
            content = body["content"]["application/json"]
            assert "example" in content, f"{method} {path}"
            data = content["example"].get("data", "none")
            assert data not in ({}, [{}]), f"{method} {path}: an empty example"


def test_a_body_names_what_is_there_already_as_answers_do() -> None:
    """Otherwise a `credential` would be the id of one here, and the secret of another there."""
    ids = {name for name, field in body_fields() if field.get("maxLength") == len(new_id())}
    assert {"credential_id", "server_id", "site_id"} <= ids
    assert [name for name in ids if not name.endswith("_id")] == []


def body_fields() -> Iterator[tuple[str, dict[str, Any]]]:
    """Of each operation, and of the objects inside."""
    schemas = orjson.loads(description())["components"]["schemas"]
    for _, _, one in operations():
        if "requestBody" in one:
            yield from fields_of(one["requestBody"]["content"]["application/json"]["schema"], schemas)


def fields_of(schema: dict[str, Any], schemas: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    schema = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    if "items" in schema:
        yield from fields_of(schema["items"], schemas)
    for name, field in schema.get("properties", {}).items():
        yield name, field
        yield from fields_of(field, schemas)


def test_the_description_is_served(client: Client) -> None:
    """`make lint` validates it, which takes long."""
    response = client.get("/api/v1/schema")
    assert response.status_code == 200
    schema = response.json()
    assert schema["components"]["securitySchemes"]["bearer"] == {"type": "http", "scheme": "bearer"}


def test_swagger_ui_needs_nothing_from_elsewhere_and_no_inline_script(client: Client) -> None:
    response = client.get("/api/docs")
    html = response.content.decode()
    assert "swagger-ui-bundle" in html
    assert "https://" not in html
    assert html.count("<script") == html.count("<script src=")
    assert "style=" not in html
    assert "unsafe" not in response["Content-Security-Policy"]
