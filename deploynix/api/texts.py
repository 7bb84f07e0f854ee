"""The API's texts for bad input. A text of a field's or validator's own stays as it was written."""

from typing import Any

from django.core.exceptions import ValidationError
from rest_framework import fields

_BY_CODE = {
    "required": "The {name} field is required.",
    "null": "The {name} field is required.",
    "blank": "The {name} field is required.",
    "empty": "The {name} field is required.",
    "invalid_choice": "The selected {name} is invalid.",
    "max_length": "The {name} field must not be greater than {limit} characters.",
    "min_length": "The {name} field must be at least {limit} characters.",
    "max_items": "The {name} field must not have more than {limit} items.",
    "min_items": "The {name} field must have at least {limit} items.",
    "max_value": "The {name} field must not be greater than {limit}.",
    "min_value": "The {name} field must be at least {limit}.",
    "unique": "The {name} has already been taken.",
    "unique_together": "The {name} has already been taken.",
    "null_characters_not_allowed": "The {name} field must not hold NUL characters.",
    "unknown": "The {name} field is not known.",
}
# What a field of each class takes, by the JSON type that it must be.
KINDS: tuple[tuple[type[fields.Field[Any, Any, Any, Any]], type | tuple[type, ...], str], ...] = (
    (fields.BooleanField, bool, "true or false"),
    (fields.IntegerField, int, "an integer"),
    (fields.FloatField, (int, float), "a number"),
    (fields.DecimalField, (int, float, str), "a number"),
    (fields.DateTimeField, str, "a valid date"),
    (fields.EmailField, str, "a valid email address"),
    (fields.URLField, str, "a valid URL"),
    (fields.IPAddressField, str, "a valid IP address"),
    (fields.CharField, str, "a string"),
    (fields.MultipleChoiceField, list, "an array"),
    (fields.ChoiceField, (str, int), "a string"),
    (fields.ListField, list, "an array"),
    (fields.DictField, dict, "an object"),
)


def spoken(name: str) -> str:
    """A field's name in a sentence: `ip_address` is read as "ip address"."""
    return name.replace("_", " ")


def text(name: str, code: str, limit: object = None) -> str | None:
    template = _BY_CODE.get(code)
    return template.format(name=spoken(name), limit=limit) if template else None


def wrong_type(name: str, expected: str) -> str:
    return f"The {spoken(name)} field must be {expected}."


def model_text(name: str, failure: ValidationError) -> str:
    """The text for a failure of a model's own validation."""
    params: dict[str, Any] = failure.params or {}
    known = text(name, failure.code or "", params.get("limit_value"))
    return known or " ".join(failure.messages)
