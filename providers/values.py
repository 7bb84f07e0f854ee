"""The fields of a credential, held against what its provider declares."""

import re
from collections.abc import Mapping

from deploynix.errors import Invalid
from providers.base import Field, Provider

LONGEST, LONGEST_FILE = 4096, 20_000
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
NUL = re.compile("\0")

Values = Mapping[str, str]


def parse(declaration: type[Provider], text: str) -> dict[str, str]:
    """The fields of a credential that is given as one string. Raises Invalid."""
    try:
        return declaration.parse(text.strip())
    except ValueError as error:
        raise Invalid({"credential": [f"This is no {declaration.label} {declaration.credential}: {error}."]}) from None


def complete(declaration: type[Provider], given: Values, kept: Values | None = None) -> dict[str, str]:
    """All fields by name, empty ones left out: what is given, else what is `kept`, else the default.

    A secret that is given empty is kept. Raises Invalid, naming `values.<field>`.
    """
    known = {field.name: field for field in declaration.fields}
    errors = {f"values.{name}": [f"The {spoken(name)} field is not known."] for name in sorted(set(given) - set(known))}
    values = {name: _value(field, given, kept or {}) for name, field in known.items()}
    for name, value in values.items():
        if fault := _fault(known[name], value):
            errors[f"values.{name}"] = [fault]
    if errors:
        raise Invalid(errors)
    return {name: value for name, value in values.items() if value}


def divide(declaration: type[Provider], values: Values) -> tuple[dict[str, str], dict[str, str]]:
    """The values that everybody may see, and the secrets."""
    secret = secret_names(declaration)
    public = {name: value for name, value in values.items() if name not in secret}
    return public, {name: value for name, value in values.items() if name in secret}


def secret_names(declaration: type[Provider]) -> set[str]:
    return {field.name for field in declaration.fields if field.secret}


def replaced_names(declaration: type[Provider]) -> set[str]:
    """What a provider gives out anew with a new secret."""
    return {field.name for field in declaration.fields if field.secret or field.changes_with_secret}


def spoken(name: str) -> str:
    return name.replace("_", " ")


def _value(field: Field, given: Values, kept: Values) -> str:
    value = given.get(field.name, kept.get(field.name, field.default)).strip()
    return value or (kept.get(field.name, "") if field.secret else "")


def _fault(field: Field, value: str) -> str:
    name, most = spoken(field.name), LONGEST_FILE if field.is_long else LONGEST
    if not value:
        return f"The {name} field is required." if field.required else ""
    if len(value) > most:
        return f"The {name} field must not be greater than {most} characters."
    # A line break would end an HTTP header, and begin another.
    if (NUL if field.is_long else CONTROL).search(value):
        return f"The {name} field must not hold control characters."
    if field.choices and value not in dict(field.choices):
        return f"The selected {name} is invalid."
    if field.pattern and not re.fullmatch(field.pattern, value):
        return f"The {name} format is invalid."
    return ""
