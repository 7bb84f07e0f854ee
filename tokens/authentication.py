"""Turns a request's bearer token, of any kind, into an actor, with one query."""

import time
from typing import Any, TypeVar, cast

from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication

from accounts.models import User
from deploynix.actor import Actor, Resources
from deploynix.api.throttling import Limit, throttle
from deploynix.client import client_ip
from deploynix.errors import Error, Unauthenticated
from deploynix.prepared import Prepared
from organizations.models import Membership, Organization
from tokens.actions import require_api_access
from tokens.errors import IpRestricted, invalid, page_of, page_to_grant
from tokens.models import KEY_ID_PREFIX, Environment, Token
from tokens.networks import holds
from tokens.passphrase import HEADER, is_proven, prove
from tokens.usage import note_failure, note_use
from tokens.vocabularies import opened
from tokens.wire import WireToken, is_digest, newest_pepper, parse

Row = TypeVar("Row", Organization, User)
# A wrong secret and an unknown id are both answered after so long.
REFUSAL_SECONDS = 0.005
_ROLE = Membership.objects.filter(organization=OuterRef("organization"), user=OuterRef("user"))
_COLUMNS = (
    "id",
    "kind",
    "name",
    "prefix",
    "public_id",
    "digest",
    "pepper",
    "passphrase",
    "grants",
    "environment",
    "is_active",
    "ip_allowlist",
    "rate_type",
    "resources",
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
        ip = client_ip(request)
        row = _row(wire, ip)
        try:
            _require_current(row)
            _require_passphrase(row, request)
            _require_address(row, ip)
        except Error as error:
            note_failure(row["id"], error.code, ip)
            raise
        actor = _actor(row, ip)
        require_api_access(actor.organization)
        return cast(User, actor.user), actor

    def admitted(self, request: HttpRequest, actor: Actor, ability: str) -> None:
        """Called once the actor was found to have the ability that the request needs."""
        note_use(request, actor, ability)


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
        raise invalid()
    return wire


def _lookup(public_id: str) -> QuerySet[Token, dict[str, Any]]:
    tokens = Token.objects.filter(public_id=public_id).annotate(role=Subquery(_ROLE.values("role")[:1]))
    rows: QuerySet[Token, dict[str, Any]] = tokens.values(*_COLUMNS, "role")
    return rows


_tokens = Prepared(_lookup)


def _row(wire: WireToken, ip: str | None) -> dict[str, Any]:
    asked_at = time.perf_counter()
    row = next(iter(_tokens.rows(public_id=wire.public_id)), None)
    stored, pepper = (row["digest"], row["pepper"]) if row else ("", newest_pepper())
    if is_digest(stored, wire, pepper) and row is not None:
        return row
    if row is not None:
        note_failure(row["id"], "invalid_token", ip)
    # Reading a row takes longer than finding none: a refusal must not tell whether the id was right.
    time.sleep(max(0.0, REFUSAL_SECONDS - (time.perf_counter() - asked_at)))
    raise invalid()


def _require_current(row: dict[str, Any]) -> None:
    page = page_of(row["kind"])
    if row["revoked_at"] is not None:
        raise invalid(f"It was revoked. Make a new one under {page}.")
    if row["expires_at"] is not None and row["expires_at"] <= timezone.now():
        raise Unauthenticated("expired_token", "The token has expired.", f"Make a new one under {page}.")
    if not row["user__is_active"] or row["role"] is None:
        raise invalid("Its user no longer belongs to the organization.")
    if not row["is_active"]:
        raise Unauthenticated("inactive_key", "This key is switched off.", f"Switch it on under {page}.")


def _require_passphrase(row: dict[str, Any], request: HttpRequest) -> None:
    stored = row["passphrase"]
    if not stored:
        return
    sent = request.headers.get(HEADER, "")
    if sent and is_proven(stored, sent):
        return
    if not sent:
        raise Unauthenticated(
            "passphrase_required", "This token needs its passphrase.", f"Send it in the header {HEADER}."
        )
    # Argon2 takes long on purpose: whoever holds the token alone must not keep the processor busy with guesses.
    throttle(
        request, Limit("passphrase", "RATE_LIMIT_PASSPHRASE", lambda *_: f"{row['id']}:{client_ip(request)}"), None
    )
    if not prove(stored, sent):
        raise Unauthenticated(
            "passphrase_required", "The passphrase is wrong.", f"Send the token's own in the header {HEADER}."
        )


def _require_address(row: dict[str, Any], ip: str | None) -> None:
    if row["ip_allowlist"] and not holds(row["ip_allowlist"], ip):
        raise IpRestricted(ip, page_of(row["kind"]))


def _actor(row: dict[str, Any], ip: str | None) -> Actor:
    grants, resources = tuple(row["grants"]), row["resources"]
    return Actor(
        organization=_loaded(Organization, row, "organization__"),
        abilities=opened(row["prefix"], grants, row["role"]),
        user=_loaded(User, row, "user__"),
        role=row["role"],
        token_id=row["id"],
        token_kind=row["kind"],
        token_name=row["name"],
        token_page=page_to_grant(row["kind"]),
        key_id=KEY_ID_PREFIX + row["public_id"],
        grants=grants,
        rate=row["rate_type"],
        resources=Resources(frozenset(resources["servers"]), frozenset(resources["sites"])) if resources else None,
        is_dry_run=row["environment"] == Environment.TEST,
        ip=ip,
    )


def _loaded(model: type[Row], row: dict[str, Any], prefix: str) -> Row:
    """The related object; columns that were not read, such as the password, are deferred."""
    names = [name.removeprefix(prefix) for name in _COLUMNS if name.startswith(prefix)]
    return model.from_db("default", names, [row[prefix + name] for name in names])
