"""API keys. The API knows them by `key_` and their public id."""

from typing import Any

from django.db.models import F
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from deploynix.api.operations import operation
from deploynix.api.pagination import asked_page, envelope, read_page
from deploynix.api.permissions import ANY_TOKEN
from deploynix.api.rows import Rows
from deploynix.api.throttling import NEW_TOKEN
from deploynix.api.views import Response, View
from tokens.actions import create_api_key, revoke_token, rotate_api_key, update_api_key
from tokens.api.key_serializers import (
    ApiKeyChanges,
    ApiKeyInput,
    ApiKeyOutput,
    ApiKeyQuery,
    NewApiKeyOutput,
    RotationOutput,
)
from tokens.models import KEY_ID_PREFIX, ApiKey, TokenQuerySet

# The parameters of a list, and the columns that they filter.
_FILTERS = {"environment": "environment", "active": "is_active"}


class ApiKeyView(View):
    tag = "API keys"

    @property
    def keys(self) -> TokenQuerySet:
        return ApiKey.objects.visible_to(self.actor).unrevoked()

    def rows_of(self, key: str) -> TokenQuerySet:
        """The row of this id, or none."""
        public_id = key.removeprefix(KEY_ID_PREFIX)
        return self.keys.filter(public_id=public_id) if public_id != key else self.keys.none()

    def key_of(self, key: str) -> ApiKey:
        return get_object_or_404(self.rows_of(key))  # type: ignore[return-value]

    def answer_of(self, rows: TokenQuerySet) -> dict[str, Any]:
        return _with_ids(self.row(_shown(rows), ApiKeyOutput))


class ApiKeys(ApiKeyView):
    abilities = {"GET": "token:read", "POST": "token:create"}
    limits = {"POST": (NEW_TOKEN,)}

    @operation("List API keys", query=ApiKeyQuery, page=ApiKeyOutput)
    def get(self, request: HttpRequest) -> Response:
        """Those of the whole organization, without those that were deleted."""
        filters = {_FILTERS[name]: value for name, value in self.query(ApiKeyQuery).items()}
        page = asked_page(request)
        rows, total = read_page(Rows(_shown(self.keys.filter(**filters)), ApiKeyOutput), page)
        return Response(envelope(request, page, [_with_ids(row) for row in rows], total))

    @operation("Create an API key", input=ApiKeyInput, one=NewApiKeyOutput, status=201)
    def post(self, request: HttpRequest) -> Response:
        """The key's text, `value`, is shown only here. It can neither do nor see more nor live longer than the token
        that asks."""
        key, text = create_api_key(self.actor, **self.input(ApiKeyInput))
        data = self.answer_of(ApiKey.objects.filter(pk=key.pk))
        return Response({"data": data}, 201, once={"data": data | {"value": text}})


class ApiKeyDetail(ApiKeyView):
    abilities = {"GET": "token:read", "PUT": "token:update", "PATCH": "token:update", "DELETE": "token:delete"}

    @operation("Show an API key", one=ApiKeyOutput)
    def get(self, request: HttpRequest, key: str) -> Response:
        return Response({"data": self.answer_of(self.rows_of(key))})

    @operation("Update an API key", input=ApiKeyChanges, one=ApiKeyOutput)
    def put(self, request: HttpRequest, key: str) -> Response:
        """Changes the fields that are sent; the secret and the environment stay. Whoever gives a key something must
        have all that it then opens. A key that was rotated is refused: change the one that took its place."""
        row = update_api_key(self.actor, key=self.key_of(key), **self.input(ApiKeyChanges))
        return Response({"data": self.answer_of(ApiKey.objects.filter(pk=row.pk))})

    @operation("Change fields of an API key", input=ApiKeyChanges, one=ApiKeyOutput)
    def patch(self, request: HttpRequest, key: str) -> Response:
        """The same as PUT."""
        return self.put(request, key)

    @operation("Delete an API key", status=204)
    def delete(self, request: HttpRequest, key: str) -> Response:
        """It opens nothing from the next request on. Of a key that was rotated, this ends the old secret early."""
        revoke_token(self.actor, token=self.key_of(key))
        return self.done()


class RotateApiKey(ApiKeyView):
    abilities = {"POST": ANY_TOKEN}
    limits = {"POST": (NEW_TOKEN,)}

    @operation("Rotate an API key", bare=RotationOutput)
    def post(self, request: HttpRequest, key: str) -> Response:
        """A new key with the same settings takes the place of this one; until `old_key.expires_at` both work. A key
        may rotate itself. For another one the token needs `token:update`, and all that the key opens."""
        old = self.key_of(key)
        new, text = rotate_api_key(self.actor, key=old)
        old.refresh_from_db()
        old_key = {"id": old.key_id, "expires_at": old.expires_at}
        new_key = {"id": new.key_id, "created_at": new.created_at}
        once = {"new_key": {"id": new.key_id, "value": text, "created_at": new.created_at}}
        return Response({"old_key": old_key, "new_key": new_key}, once=once)


def _shown(keys: TokenQuerySet) -> TokenQuerySet:
    return keys.annotate(
        permissions=F("grants"),
        active=F("is_active"),
        ip_whitelist=F("ip_allowlist"),
        rate_limit=F("rate_type"),
        servers=F("resources__servers"),
        sites=F("resources__sites"),
        rotated_to=F("successor__public_id"),
        rotated_from=F("predecessor__public_id"),
    )


def _with_ids(row: dict[str, Any]) -> dict[str, Any]:
    """The row with ids as the API writes them."""
    others = {name: row[name] and KEY_ID_PREFIX + row[name] for name in ("rotated_to", "rotated_from")}
    return row | {"id": KEY_ID_PREFIX + row["public_id"]} | others
