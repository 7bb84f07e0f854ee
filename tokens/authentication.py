"""Turns a request's bearer token into an actor, with one query."""

import hmac
from typing import Any, TypeVar, cast

from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication

from accounts.models import User
from deploynix.abilities import ROLES
from deploynix.actor import Actor
from deploynix.client import client_ip
from deploynix.errors import Unauthenticated
from deploynix.prepared import Prepared
from organizations.models import Membership, Organization
from tokens.actions import require_api_access
from tokens.models import Token
from tokens.usage import note_use
from tokens.wire import WireToken, digest, parse

Row = TypeVar("Row", Organization, User)
_ROLE = Membership.objects.filter(organization=OuterRef("organization"), user=OuterRef("user"))
_COLUMNS = (
    "id",
    "name",
    "digest",
    "pepper",
    "abilities",
    "expires_at",
    "revoked_at",
    "organization__id",
    "organization__name",
    "organization__plan",
    "organization__created_at",
    "user__id",
    "user__email",
    "user__name",
    "user__is_active",
    "user__created_at",
)


class TokenAuthentication(BaseAuthentication):
    def authenticate(self, request: Any) -> tuple[User, Actor]:
        """The user and the actor behind the request. Raises Unauthenticated, or Denied where the plan has no API."""
        wire = _sent_token(request)
        row = _row(wire)
        _require_current(row)
        actor = _actor(row, client_ip(request))
        require_api_access(actor.organization)
        note_use(row["id"], actor.ip)
        return cast(User, actor.user), actor


def _sent_token(request: HttpRequest) -> WireToken:
    header = request.META.get("HTTP_AUTHORIZATION", "")
    scheme, _, text = header.partition(" ")
    if not header.strip():
        raise Unauthenticated(
            "authentication_required",
            "No authentication token provided",
            "Send the header Authorization: Bearer <token>. Tokens are made under Settings > API Tokens.",
        )
    wire = parse(text.strip()) if scheme.lower() == "bearer" else None
    if wire is None:
        raise _invalid()
    return wire


def _invalid(hint: str = "Check that it is whole, or make a new one under Settings > API Tokens.") -> Unauthenticated:
    return Unauthenticated("invalid_token", "The token is not valid.", hint)


def _lookup(public_id: str) -> QuerySet[Token, dict[str, Any]]:
    tokens = Token.objects.filter(public_id=public_id).annotate(role=Subquery(_ROLE.values("role")[:1]))
    rows: QuerySet[Token, dict[str, Any]] = tokens.values(*_COLUMNS, "role")
    return rows


_tokens = Prepared(_lookup)


def _row(wire: WireToken) -> dict[str, Any]:
    row = next(iter(_tokens.rows(public_id=wire.public_id)), None)
    stored, pepper = (row["digest"], row["pepper"]) if row else ("", 1)
    if not hmac.compare_digest(stored, digest(wire, pepper)) or row is None:
        raise _invalid()
    return row


def _require_current(row: dict[str, Any]) -> None:
    if row["revoked_at"] is not None:
        raise _invalid("It was revoked. Make a new one under Settings > API Tokens.")
    if row["expires_at"] is not None and row["expires_at"] <= timezone.now():
        raise Unauthenticated("expired_token", "The token has expired.", "Make a new one under Settings > API Tokens.")
    if not row["user__is_active"] or row["role"] is None:
        raise _invalid("Its user no longer belongs to the organization.")


def _actor(row: dict[str, Any], ip: str | None) -> Actor:
    return Actor(
        organization=_loaded(Organization, row, "organization__"),
        abilities=ROLES[row["role"]].intersection(row["abilities"]),
        user=_loaded(User, row, "user__"),
        role=row["role"],
        token_id=row["id"],
        token_name=row["name"],
        ip=ip,
    )


def _loaded(model: type[Row], row: dict[str, Any], prefix: str) -> Row:
    """The related object; columns that were not read, such as the password, are deferred."""
    names = [name.removeprefix(prefix) for name in _COLUMNS if name.startswith(prefix)]
    return model.from_db("default", names, [row[prefix + name] for name in names])
