"""Rules for what programs report."""

from datetime import datetime, timedelta
from typing import Any

import orjson
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils import timezone

OLDEST = timedelta(days=30)
# Clocks differ: what seems to happen a moment ahead happens now.
CLOCK_ERROR = timedelta(minutes=1)
# Bytes of JSON.
LARGEST_METADATA = 4096

check_kind = RegexValidator(
    r"^[a-z0-9_-]+(\.[a-z0-9_-]+)*\Z", "Use lower-case words with dots in between, such as deploy.finished."
)


def checked_json(name: str, value: dict[str, Any] | None, most: int | None = None) -> dict[str, Any]:
    """A JSON object that can be stored; an empty one for None. `most` is in bytes.

    Raises ValidationError, naming the field, for one that is too large or nested too deeply.
    """
    try:
        size = len(orjson.dumps(value or {}))
    except TypeError as error:
        raise ValidationError({name: f"The {name} field is nested too deeply."}) from error
    if most is not None and size > most:
        raise ValidationError({name: f"The {name} field must not be larger than {most} bytes of JSON."})
    return value or {}


def checked_time(given: datetime | None) -> datetime:
    """When something happened: `given`, a time with its zone, or now. Raises ValidationError outside OLDEST and now."""
    now = timezone.now()
    if given is None:
        return now
    if given > now + CLOCK_ERROR:
        raise ValidationError({"occurred_at": "The time must not be in the future."})
    if given < now - OLDEST:
        raise ValidationError({"occurred_at": f"The time must not be more than {OLDEST.days} days ago."})
    return min(given, now)
