"""When a key is rotated, and how long its old secret goes on working."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from deploynix.errors import Invalid
from tokens.durations import parse_duration

DEFAULT_GRACE = "7d"


def next_rotation(values: Mapping[str, Any]) -> datetime | None:
    """When a key with these columns is due, counted from now; None for one that is not rotated on schedule."""
    if not values.get("auto_rotate"):
        return None
    return timezone.now() + parse_duration(values["rotation_period"])


def require_rotation(values: Mapping[str, Any]) -> None:
    """Raises Invalid where the columns of a key do not make sense together."""
    errors: dict[str, list[str]] = {}
    for name in ("rotation_period", "grace_period"):
        try:
            values.get(name) and parse_duration(values[name])
        except ValueError as error:
            errors[name] = [f"The {name.replace('_', ' ')} field {error}."]
    if not errors and values.get("auto_rotate"):
        errors = _of_schedule(values)
    if errors:
        raise Invalid(errors)


def _of_schedule(values: Mapping[str, Any]) -> dict[str, list[str]]:
    if not values.get("rotation_period"):
        return {"rotation_period": ["The rotation period field is required when auto rotate is on."]}
    if parse_duration(values["rotation_period"]) <= parse_duration(values.get("grace_period") or DEFAULT_GRACE):
        return {"rotation_period": ["The rotation period must be longer than the grace period."]}
    return {}
