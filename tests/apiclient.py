"""A client of the API that speaks JSON and signs in with a bearer token."""

import json
from typing import TYPE_CHECKING, Any

from django.test import Client

from deploynix.actor import Actor
from tokens.actions import create_token

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response
else:
    from django.http import HttpResponse as Response

__all__ = ["ApiClient", "Response"]


class ApiClient:
    """`api.get("/servers")` calls `/api/v1/servers`; a dict given as `data` is sent as JSON."""

    def __init__(self, token: str | None = None) -> None:
        self.token = token
        self._client = Client()

    @classmethod
    def signed_in(cls, actor: Actor, abilities: list[str] | None = None) -> "ApiClient":
        _, text = create_token(actor, name="tests", abilities=abilities)
        return cls(text)

    def get(self, path: str, **headers: str) -> Response:
        return self.call("GET", path, None, **headers)

    def post(self, path: str, data: Any = None, **headers: str) -> Response:
        return self.call("POST", path, data, **headers)

    def put(self, path: str, data: Any = None, **headers: str) -> Response:
        return self.call("PUT", path, data, **headers)

    def delete(self, path: str, **headers: str) -> Response:
        return self.call("DELETE", path, None, **headers)

    def call(self, method: str, path: str, data: Any = None, **headers: str) -> Response:
        """Header names are given with underscores: `idempotency_key="..."`."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        body: dict[str, Any] = {} if data is None else {"data": data, "content_type": "application/json"}
        return self._client.generic(method, f"/api/v1{path}", headers=sent, **_encoded(body))


def _encoded(body: dict[str, Any]) -> dict[str, Any]:
    if not body or isinstance(body["data"], str | bytes):
        return body
    return body | {"data": json.dumps(body["data"])}
