"""Reading and writing `.env` files, in the form that phpdotenv, dotenv for Node and python-dotenv agree on."""

import re
from collections.abc import Mapping

_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=-]*")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "$": "\\$", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}
_ASSIGNMENT = re.compile(
    r"""
    ^[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*
    (?: '(?P<single>[^']*)' | "(?P<double>(?:\\.|[^"\\])*)" | (?P<plain>[^'"\r\n][^\r\n]*?)? )
    [ \t]*(?:(?<=[ \t])\#[^\r\n]*|(?<=['"])\#[^\r\n]*)?\r?$
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)


def render_dotenv(variables: Mapping[str, str]) -> str:
    """One line for each variable, by name. Values are quoted where they must be, and never expanded by a reader."""
    return "".join(f"{name}={_quoted(variables[name])}\n" for name in sorted(variables))


def parse_dotenv(text: str) -> dict[str, str]:
    """The variables of a `.env`; of a name that stands there twice, the last. References to others stay as they are."""
    return {match["name"]: _value(match) for match in _ASSIGNMENT.finditer(text)}


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    if not re.search(r"['\r\n\\]", value):
        return f"'{value}'"
    return '"' + re.sub(r'[\\"$\n\r\t]', lambda match: _ESCAPES[match[0]], value) + '"'


def _value(match: re.Match[str]) -> str:
    if match["double"] is not None:
        return re.sub(r"\\(.)", lambda escape: _ESCAPED.get(escape[1], escape[1]), match["double"], flags=re.DOTALL)
    if match["single"] is not None:
        return str(match["single"])
    return (match["plain"] or "").rstrip()
