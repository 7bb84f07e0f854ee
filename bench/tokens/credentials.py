"""Credentials of every kind, for the same people."""

from collections.abc import Sequence
from typing import Any

from knox.models import AuthToken
from rest_framework.authtoken.models import Token as StockToken

from organizations.models import Organization, Role
from tests import factories
from tokens.actions import create_access_token, create_api_key
from tokens.models import PersonalToken, Token
from tokens.wire import PERSONAL_PREFIX, WireToken, new_token


def add_keys(
    organization: Organization, count: int, plain: Sequence[str], limited: str, passphrase: str, address: str
) -> dict[str, list[str]]:
    """The texts of `count` tokens of each kind, by its name: the four in `plain`, and keys with every limit."""
    actor = factories.actor(organization, Role.OWNER)
    server = factories.server(organization)
    limits: dict[str, Any] = {
        "ip_whitelist": ["198.51.100.0/24", "2001:db8::/32", f"{address}/32"],
        "rate_limit": "standard",
        "servers": [server.pk],
    }
    scopes: dict[str, Any] = {"name": "bench", "scopes": ["all"]}
    resources: dict[str, Any] = {"name": "bench", "permissions": ["servers:read"]}
    duties: dict[str, Any] = {"name": "bench", "permissions": ["read"]}
    resource_keys, duty_keys, access, guarded = plain
    made: dict[str, list[str]] = {name: [] for name in (*plain, limited)}
    for _ in range(count):
        made[resource_keys].append(create_api_key(actor, **resources)[1])
        made[duty_keys].append(create_api_key(actor, **duties)[1])
        made[access].append(create_access_token(actor, **scopes)[1])
        made[guarded].append(create_access_token(actor, **scopes, passphrase=passphrase)[1])
        made[limited].append(create_api_key(actor, **resources, **limits)[1])
    return made


def add_stock_keys(organization: Organization) -> list[str]:
    return [StockToken.objects.create(user=token.user).key for token in _people(organization)]


def add_knox_tokens(organization: Organization) -> list[str]:
    return [AuthToken.objects.create(user=token.user, expiry=None)[1] for token in _people(organization)]


def wrong_secrets(organization: Organization, count: int) -> list[str]:
    ids = PersonalToken.objects.filter(organization=organization).values_list("public_id", flat=True)[:count]
    return [WireToken(PERSONAL_PREFIX, public_id, new_token(PERSONAL_PREFIX).secret).text for public_id in ids]


def unknown_ids(count: int) -> list[str]:
    return [new_token(PERSONAL_PREFIX).text for _ in range(count)]


def _people(organization: Organization) -> list[Token]:
    return list(PersonalToken.objects.filter(organization=organization).select_related("user"))
