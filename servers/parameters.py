"""What a script asks for: declared with the script, given with each run, and handed to it as environment variables."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploynix.errors import Invalid
from deploynix.redact import SHORTEST

MOST_PARAMETERS = 30
MOST_VALUE_BYTES = 32_768
NAME = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
# What bash and the dynamic linker read themselves: through them, who may only give values could change what runs.
RESERVED = re.compile(
    r"(BASH|LD_).*|CDPATH|ENV|EUID|GLOBIGNORE|HOME|IFS|LOGNAME|OLDPWD|PATH|POSIXLY_CORRECT|PPID|PROMPT_COMMAND|PS4|PWD"
    r"|SHELL|SHELLOPTS|TMPDIR|UID|USER"
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """`default` is what an optional one has where nothing is given; a secret one has none."""

    name: str
    label: str = ""
    default: str = ""
    required: bool = False
    secret: bool = False


def check_declared(rows: Sequence[Mapping[str, Any]]) -> None:
    """`rows` are the fields of Parameter. Raises Invalid, naming `parameters.0.name`."""
    if len(rows) > MOST_PARAMETERS:
        raise Invalid({"parameters": [f"A script may have at most {MOST_PARAMETERS} parameters."]})
    errors: dict[str, list[str]] = {}
    seen: set[str] = set()
    for number, row in enumerate(rows):
        parameter = Parameter(**row)
        for field, text in _faults(parameter, seen):
            errors.setdefault(f"parameters.{number}.{field}", []).append(text)
        seen.add(parameter.name)
    if errors:
        raise Invalid(errors)


def _faults(parameter: Parameter, seen: set[str]) -> Iterable[tuple[str, str]]:
    if not NAME.fullmatch(parameter.name):
        yield "name", "Use capital letters, digits and underscores, a letter first: at most 64."
    elif RESERVED.fullmatch(parameter.name):
        yield "name", f"{parameter.name} means something to the shell itself. Use another name."
    if parameter.name in seen:
        yield "name", f"{parameter.name} is listed twice."
    if len(parameter.label) > 100:
        yield "label", "The label must not be longer than 100 characters."
    if parameter.secret and parameter.default:
        yield "default", "A secret has no default: everybody who sees the script could read it."
    if fault := _fault_of(parameter.default):
        yield "default", fault


def check_given(declared: Sequence[Parameter], given: Mapping[str, str]) -> dict[str, str]:
    """The value of every declared parameter. Raises Invalid, naming `parameters.NAME`."""
    values = {parameter.name: given.get(parameter.name, parameter.default) for parameter in declared}
    errors = {f"parameters.{name}": [f"The script has no parameter {name}."] for name in given.keys() - values.keys()}
    for parameter in declared:
        if fault := _fault_of_given(parameter, values[parameter.name]):
            errors[f"parameters.{parameter.name}"] = [fault]
    if errors:
        raise Invalid(errors)
    return values


def _fault_of_given(parameter: Parameter, value: str) -> str:
    if parameter.required and not value:
        return f"The parameter {parameter.name} is required."
    if parameter.secret and 0 < len(value) < SHORTEST:
        return f"A secret needs at least {SHORTEST} characters: a shorter one cannot be kept out of the log."
    return _fault_of(value)


def _fault_of(value: str) -> str:
    if "\0" in value:
        return "A value must not hold NUL characters: no environment variable can."
    if len(value.encode()) > MOST_VALUE_BYTES:
        return f"A value must not be longer than {MOST_VALUE_BYTES // 1024} KiB."
    return ""
