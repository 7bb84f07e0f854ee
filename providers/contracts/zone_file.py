"""How names and values are written: in the one form of the contract, and as a zone file has them."""

import re
from contextlib import suppress
from ipaddress import ip_address

# RFC 1035, section 5.1: strings in quotes, and in them \DDD for a byte and \X for a character.
_STRINGS = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPES = re.compile(rb"\\([01]\d\d|2[0-4]\d|25[0-5]|.)", re.DOTALL)


def plain_name(name: str) -> str:
    return name.rstrip(".").lower()


def plain_value(type: str, value: str) -> str:  # noqa: A002
    """A value in one form, however somebody wrote it: addresses as in RFC 5952, names as the contract has them."""
    if type == "CNAME":
        return plain_name(value)
    if type in ("A", "AAAA"):
        with suppress(ValueError):
            return str(ip_address(value))
    return value


def to_zone_file(type: str, value: str) -> str:  # noqa: A002
    """A value as a zone file has it: TXT in quotes, names with the last dot."""
    if type == "TXT":
        return quoted(value)
    return f"{value}." if type == "CNAME" else value


def from_zone_file(type: str, row: str) -> str:  # noqa: A002
    """What `to_zone_file` wrote."""
    return unquoted(row) if type == "TXT" else plain_value(type, row)


def quoted(text: str) -> str:
    """A TXT value as a zone file has it: RFC 1035, section 5.1, in strings of at most 255 bytes."""
    data = text.encode(errors="surrogateescape")
    parts = [data[start : start + 255] for start in range(0, len(data), 255)] or [b""]
    return " ".join(f'"{"".join(map(_escaped, part))}"' for part in parts)


def unquoted(text: str) -> str:
    """What the strings of a zone file hold together; a text without quotes stays as it is.

    Bytes that are no UTF-8 come through `quoted` as they were, so that a neighbour's value is never changed.
    """
    if not text.startswith('"'):
        return text
    inner = "".join(_STRINGS.findall(text)).encode(errors="surrogateescape")
    return _ESCAPES.sub(_meant, inner).decode(errors="surrogateescape")


def _escaped(byte: int) -> str:
    if not 32 <= byte < 127:
        return f"\\{byte:03d}"
    return f"\\{byte:c}" if byte in b'"\\' else f"{byte:c}"


def _meant(escape: re.Match[bytes]) -> bytes:
    return bytes([int(escape[1])]) if len(escape[1]) == 3 else escape[1]
