"""Making and changing API keys."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from django.db import transaction

from audit.log import Changes, changed, record
from deploynix.abilities import DUTY_PERMISSIONS, RESOURCE_PERMISSIONS
from deploynix.actor import Actor
from deploynix.errors import Conflict, Invalid
from tokens.actions.making import end_of, make, require_future, require_within, require_words
from tokens.actions.reach import only_narrows, require_reach
from tokens.actions.schedule import next_rotation, require_rotation
from tokens.models import ApiKey, Environment, Kind, RateType
from tokens.networks import Network, parse_network
from tokens.resources import NAMES, limit
from tokens.wire import DUTY_PREFIX, LIVE_PREFIX, TEST_PREFIX

FIELD = "permissions"
MOST_NETWORKS = 100


@transaction.atomic
def create_api_key(
    actor: Actor,
    *,
    name: str,
    permissions: Sequence[str],
    environment: str = Environment.LIVE,
    ip_whitelist: Iterable[str] = (),
    rate_limit: str = RateType.STANDARD,
    expires_at: datetime | None = None,
    servers: Sequence[str] | None = None,
    sites: Sequence[str] | None = None,
    **settings: Any,
) -> tuple[ApiKey, str]:
    """An API key, and its text, which is not stored and cannot be shown again.

    The permissions are all of resources (`servers:read`) or all of duties (`deploy`); a test key has those of
    resources. `settings` are description, active, auto_rotate, rotation_period, grace_period and notification_email.
    Made by a token, it can neither do nor see more nor live longer than that one. Needs token:create. Raises Denied,
    Invalid or ValidationError naming the field.
    """
    actor.require("token:create")
    prefix = _prefix(permissions, environment)
    words = require_words(prefix, permissions, FIELD)
    require_within(actor, prefix=prefix, words=words, field=FIELD)
    values = _columns(settings)
    require_rotation(values)
    return make(
        ApiKey,
        actor,
        prefix=prefix,
        kind=Kind.API_KEY,
        name=name.strip(),
        environment=environment,
        grants=words,
        ip_allowlist=_networks(ip_whitelist),
        rate_type=_require_rate(actor, rate_limit),
        resources=limit(actor, {"servers": servers, "sites": sites}),
        expires_at=end_of(actor, expires_at),
        rotates_at=next_rotation(values),
        **values,
    )


@transaction.atomic
def update_api_key(actor: Actor, *, key: ApiKey, **changes: Any) -> ApiKey:
    """Changes everything but the secret; takes what `create_api_key` does, each optional, and leaves the rest.

    The permissions stay within the key's vocabulary, which its prefix tells, and so does the environment. Anybody with
    token:update may take from a key; who gives it something must have all that it then opens, and cannot make it
    outlive the token that asks. Raises Denied, Invalid or ValidationError naming the field, and Conflict for a key
    that was rotated or revoked.
    """
    actor.require("token:update")
    key = lock_key(actor, key)
    if key.successor:
        raise Conflict(
            "This key was rotated, and works for a while beside the one that took its place.",
            f"Change that one, {key.successor.key_id}, or delete this one.",
        )
    values = _differing(key, _changed_columns(actor, key, changes))
    if not values:
        return key
    is_harmless = only_narrows(key, values)
    before = {name: getattr(key, name) for name in values}
    for name, value in values.items():
        setattr(key, name, value)
    if not is_harmless:
        require_reach(actor, key)
    _schedule(key, values)
    key.full_clean()
    key.save()
    record(actor, "token.updated", key, _readable(changed(before, values)))
    return key


def lock_key(actor: Actor, key: ApiKey) -> ApiKey:
    """The key as it is now, until the transaction ends. Raises Conflict where it is gone."""
    found = ApiKey.objects.visible_to(actor).unrevoked().select_for_update().filter(pk=key.pk).first()
    if found is None:
        raise Conflict("This key was revoked.", "Make a new one under Settings > API Keys.")
    return cast(ApiKey, found)


def _changed_columns(actor: Actor, key: ApiKey, changes: dict[str, Any]) -> dict[str, Any]:
    values = _columns({name: value for name, value in changes.items() if name in _COLUMNS})
    if changes.get("environment", key.environment) != key.environment:
        raise Invalid({"environment": ["A key keeps its environment. Make another key for the other one."]})
    if "permissions" in changes:
        values["grants"] = require_words(key.prefix, changes["permissions"], FIELD)
    if "ip_whitelist" in changes:
        values["ip_allowlist"] = _networks(changes["ip_whitelist"])
    if changes.get("rate_limit", key.rate_type) != key.rate_type:
        values["rate_type"] = _require_rate(actor, changes["rate_limit"])
    limits = {name: changes[name] for name in NAMES if name in changes}
    current = key.resources or {}
    if any(value != current.get(name) for name, value in limits.items()):
        values["resources"] = limit(actor, {name: limits.get(name, current.get(name)) for name in NAMES})
    return values


def _differing(key: ApiKey, values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value != getattr(key, name)}


def _schedule(key: ApiKey, changes: Mapping[str, Any]) -> None:
    """Checks what changed of the key's times; another period counts from now."""
    if "expires_at" in changes:
        require_future(key.expires_at)
    require_rotation(vars(key))
    if {"rotation_period", "auto_rotate"} & changes.keys():
        key.rotates_at = next_rotation(vars(key))


# What the API calls a setting of a key, and the column that holds it.
_COLUMNS: Mapping[str, str] = {
    "name": "name",
    "description": "description",
    "active": "is_active",
    "auto_rotate": "auto_rotate",
    "rotation_period": "rotation_period",
    "grace_period": "grace_period",
    "notification_email": "notification_email",
    "expires_at": "expires_at",
}


def _columns(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {_COLUMNS[name]: value.strip() if isinstance(value, str) else value for name, value in settings.items()}


def _prefix(permissions: Iterable[str], environment: str) -> str:
    """What the text of a key with these permissions starts with: it tells their vocabulary."""
    wanted = set(permissions)
    if not wanted & DUTY_PERMISSIONS.keys():
        return TEST_PREFIX if environment == Environment.TEST else LIVE_PREFIX
    if wanted & RESOURCE_PERMISSIONS.keys():
        raise Invalid({FIELD: ["One key has permissions of resources, such as servers:read, or of duties, not both."]})
    if environment == Environment.TEST:
        raise Invalid({"environment": ["A test key has permissions of resources, such as servers:read."]})
    return DUTY_PREFIX


def _networks(texts: Iterable[str]) -> list[str]:
    networks: list[str] = []
    errors: dict[str, list[str]] = {}
    for position, text in enumerate(texts):
        try:
            networks.append(_written(parse_network(text)))
        except ValueError:
            errors[f"ip_whitelist.{position}"] = [
                "This is no address and no network, such as 203.0.113.0/24 or 2001:db8::/32."
            ]
    if len(networks) > MOST_NETWORKS:
        errors["ip_whitelist"] = [f"The ip whitelist field may not have more than {MOST_NETWORKS} items."]
    if errors:
        raise Invalid(errors)
    return list(dict.fromkeys(networks))


def _written(network: Network) -> str:
    """A single address is written as one."""
    return str(network.network_address if network.num_addresses == 1 else network)


def _require_rate(actor: Actor, rate_type: str) -> str:
    """Raises Invalid for a key without limits where the plan is not the enterprise one."""
    if rate_type == RateType.UNLIMITED and not actor.organization.plan_details.unlimited_rate:
        raise Invalid({"rate_limit": ["Keys without a limit need the Enterprise plan."]})
    return rate_type


def _readable(changes: Changes) -> Changes:
    """Times as text, for the audit log is JSON."""
    return {
        name: [value.isoformat() if isinstance(value, datetime) else value for value in pair]
        for name, pair in changes.items()
    }
