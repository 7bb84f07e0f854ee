"""The OpenAPI description, derived from what views and serializers declare."""

import inspect
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from deploynix.abilities import ABILITIES
from deploynix.api.operations import Maybe, Operation, operation_of
from deploynix.api.pagination import LAST_PAGE, MOST_PER_PAGE, PER_PAGE
from deploynix.api.parsers import MEDIA_TYPE
from deploynix.api.permissions import ANY_TOKEN, PUBLIC
from deploynix.api.responses import dumps
from deploynix.api.serializers import JobAddressOutput, Output

Json = dict[str, Any]
EXAMPLE_ID = "01JAZ5QHVW3K9T6R8M2N4P7XYC"
_ERRORS: dict[int, tuple[str, str, str]] = {
    401: ("No token, or one that is not valid", "authentication_required", "No authentication token provided"),
    403: (
        "The token lacks the ability, or the plan has no API access",
        "insufficient_permissions",
        "This action needs the ability site:deploy.",
    ),
    404: ("Nothing there that this organization may see", "not_found", "Nothing was found here."),
    409: ("Its state does not allow this now", "conflict", "A request with this Idempotency-Key is still running."),
    413: ("The body is too large", "payload_too_large", "The body is too large."),
    415: ("The body is not JSON", "unsupported_media_type", "The body must be JSON."),
    422: ("The input breaks a rule", "validation_failed", "The given data was invalid."),
    429: ("Too many requests", "rate_limited", "Too many requests. Try again in 12 seconds."),
}
_PAGING = (
    OpenApiParameter("page", {"type": "integer", "minimum": 1, "maximum": LAST_PAGE, "default": 1}),
    OpenApiParameter("per_page", {"type": "integer", "minimum": 1, "maximum": MOST_PER_PAGE, "default": PER_PAGE}),
)
_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "maxLength": 255},
    OpenApiParameter.HEADER,
    description="Makes it safe to send the request again: within 24 hours the same key does the work only once.",
)


class Schema(AutoSchema):
    """Describes one operation of a `deploynix.api.views.View`."""

    view: Any

    @property
    def operation(self) -> Operation:
        return operation_of(self._handler)

    @property
    def ability(self) -> str:
        return str(self.view.abilities[self.method])

    @property
    def _handler(self) -> Any:
        return getattr(self.view, self.method.lower())

    def get_operation_id(self) -> str:
        return self.operation.summary.lower().replace(" ", "_").replace("-", "_").replace("'", "")

    def get_summary(self) -> str:
        return self.operation.summary

    def get_description(self) -> str:  # type: ignore[override]
        return "\n\n".join(filter(None, (inspect.getdoc(self._handler), self._needs())))

    def _needs(self) -> str:
        if self.ability == PUBLIC:
            return "Needs no token."
        if self.ability == ANY_TOKEN:
            return "Needs any valid token."
        return f"Needs the ability `{self.ability}`: {ABILITIES[self.ability].lower()}."

    def get_tags(self) -> list[str]:
        return [self.view.tag]

    def get_auth(self) -> list[Json]:
        return [] if self.ability == PUBLIC else [{"bearer": []}]

    def get_extensions(self) -> Json:
        return {"x-ability": self.ability}

    def get_override_parameters(self) -> list[Any]:
        operation = self.operation
        found: list[Any] = [operation.query] if operation.query else []
        found += _PAGING if operation.page else ()
        if self.method == "POST" and self.view.idempotent:
            found.append(_KEY)
        return found

    def _is_list_view(self, serializer: Any = None) -> bool:
        return False

    def _get_request_body(self, direction: Literal["request", "response"] = "request") -> Json | None:
        body = self.operation.input
        if body is None:
            return None
        component = self.resolve_serializer(body, direction)
        required = any(field.required for field in body().fields.values())
        content = {"schema": component.ref, "example": dict(body.example)}
        return {"content": {MEDIA_TYPE: content}, "required": required}

    def _get_response_bodies(self, direction: str = "response") -> Json:
        answers = {self.operation.status: self._success()} | {
            status: _error_response(status, text) if status in _ERRORS else {"description": text}
            for status, text in self._others().items()
        }
        if self.ability != PUBLIC:
            for status in (self.operation.status, 429):
                answers[status]["headers"] = {**answers[status].get("headers", {}), **_TOKEN_HEADERS}
        return {str(status): answer for status, answer in answers.items()}

    def _others(self) -> dict[int, str]:
        """When each other status is answered."""
        statuses = [422, 429]
        if self.ability != PUBLIC:
            statuses += [401, 403]
        if "{" in self.path:
            statuses.append(404)
        if self.method != "GET":
            statuses += [409, 413, 415]
        texts = {status: _ERRORS[status][0] for status in statuses} | dict(self.operation.others)
        return dict(sorted(texts.items()))

    def _success(self) -> Json:
        operation = self.operation
        if operation.status == 204:
            return {"description": "Done"}
        if operation.bare:
            schema, example = self.resolve_serializer(operation.bare, "response").ref, dict(operation.bare.example)
        else:
            properties, example = self._answer(operation)
            schema = _object(properties)
        return {"description": "Success", "content": {MEDIA_TYPE: {"schema": schema, "example": example}}}

    def _answer(self, operation: Operation) -> tuple[Json, Json]:
        properties: Json = {}
        example: Json = {}
        if operation.message:
            properties["message"], example["message"] = {"type": "string"}, operation.message
        if operation.one:
            properties["data"] = self.resolve_serializer(operation.one, "response").ref
            example["data"] = dict(operation.one.example)
        if operation.page:
            rows = self.resolve_serializer(operation.page, "response").ref
            properties |= {"data": {"type": "array", "items": rows}, **_PAGE_PROPERTIES}
            example |= {"data": [dict(operation.page.example)], **self._page_example()}
        more = {"job": JobAddressOutput, **operation.extra} if operation.job else operation.extra
        for name, declared in more.items():
            properties[name], example[name] = self._part(declared)
        return properties, example

    def _part(self, declared: Any) -> tuple[Json, Any]:
        """The schema and an example of a part of an answer."""
        if isinstance(declared, Maybe):
            schema, example = self._part(declared.value)
            return {"anyOf": [schema, {"type": "null"}]}, example
        if isinstance(declared, list):
            schema, example = self._part(declared[0])
            return {"type": "array", "items": schema}, [example]
        if isinstance(declared, type) and issubclass(declared, Output):
            return self.resolve_serializer(declared, "response").ref, dict(declared.example)
        return _schema_of(declared), declared

    def _page_example(self) -> Json:
        address = f"https://deploynix.example.com{self.path}?page="
        meta = {"current_page": 1, "from": 1, "last_page": 3, "per_page": 15, "to": 15, "total": 42}
        neighbours = {"first": f"{address}1", "last": f"{address}3", "next": f"{address}2", "prev": None}
        return {"meta": meta, "links": neighbours}


_COUNT = {"type": "integer"}
_MAYBE_COUNT = {"type": ["integer", "null"]}
_TOKEN_HEADERS = {
    "X-Dry-Run": {"schema": {"const": "true"}, "description": "What a test key asked for was tried, and undone"},
    "X-RateLimit-Limit": {"schema": _COUNT, "description": "Requests that the token may make; absent without a limit"},
    "X-RateLimit-Remaining": {"schema": _COUNT, "description": "How many of them are left"},
    "X-RateLimit-Reset": {"schema": _COUNT, "description": "When all are back, in seconds since 1970"},
}
_ADDRESS = {"type": "string", "format": "uri"}
_MAYBE_ADDRESS = {"type": ["string", "null"], "format": "uri"}


def _object(properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties)}


_PAGE_PROPERTIES = {
    "meta": _object(
        {
            "current_page": _COUNT,
            "from": _MAYBE_COUNT,
            "last_page": _COUNT,
            "per_page": _COUNT,
            "to": _MAYBE_COUNT,
            "total": _COUNT,
        }
    ),
    "links": _object({"first": _ADDRESS, "last": _ADDRESS, "next": _MAYBE_ADDRESS, "prev": _MAYBE_ADDRESS}),
}


def _schema_of(example: object) -> Json:
    """The schema that an example value implies."""
    if isinstance(example, Mapping):
        return _object_of(example)
    if isinstance(example, list | tuple):
        return {"type": "array", "items": _schema_of(example[0]) if example else {}}
    names = {bool: "boolean", int: "integer", float: "number", str: "string"}
    return {"type": names[type(example)]} if type(example) in names else {}


def _object_of(example: Mapping[str, Any]) -> Json:
    return _object({name: _schema_of(value) for name, value in example.items()})


def _error_response(status: int, description: str) -> Json:
    _, code, message = _ERRORS[status]
    example: Json = {"message": message}
    if status == 422:
        example["errors"] = {"name": ["The name field is required."]}
    example["error"] = {"code": code, "message": message, "status": status}
    response = {
        "description": description,
        "content": {MEDIA_TYPE: {"schema": _object_of(example), "example": example}},
    }
    if status == 422:
        response["content"][MEDIA_TYPE]["schema"]["properties"]["errors"] = {  # type: ignore[index]
            "type": "object",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        }
    if status == 429:
        response["headers"] = {"Retry-After": {"schema": _COUNT, "description": "Seconds to wait"}}
    return response


@cache
def description() -> bytes:
    """The whole description, as JSON."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    return dumps(generator.get_schema(request=None, public=True))  # type: ignore[no-untyped-call]
