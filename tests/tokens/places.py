"""Writes small databases of places, in the format of https://maxmind.github.io/MaxMind-DB/."""

from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any

_TYPES = {"utf8": 2, "uint16": 5, "uint32": 6, "map": 7, "uint64": 9, "array": 11}
Tree = list[list[Any]]


def write_places(path: Path, countries: Mapping[str, str]) -> None:
    """`countries` maps networks to ISO 3166-1 alpha-2 codes."""
    tree: Tree = [[None, None]]
    data = b""
    for network, code in countries.items():
        _hang(tree, _bits(network), len(data))
        data += _encoded({"country": {"iso_code": code}})
    # 24 bits for each of a node's two sides.
    search = b"".join(_record(side, len(tree)).to_bytes(3, "big") for node in tree for side in node)
    path.write_bytes(search + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + _metadata(len(tree)))


def _bits(network: str) -> str:
    parsed = ip_network(network)
    bits = f"{int(parsed.network_address):0{parsed.max_prefixlen}b}"[: parsed.prefixlen]
    return "0" * 96 + bits if parsed.version == 4 else bits


def _hang(tree: Tree, bits: str, offset: int) -> None:
    node = 0
    for bit in map(int, bits[:-1]):
        if tree[node][bit] is None:
            tree.append([None, None])
            tree[node][bit] = ("node", len(tree) - 1)
        node = tree[node][bit][1]
    tree[node][int(bits[-1])] = ("data", offset)


def _record(side: tuple[str, int] | None, count: int) -> int:
    """Up to `count` the number of a node, `count` for nothing, above it a place in the data."""
    if side is None:
        return count
    kind, value = side
    return value if kind == "node" else count + 16 + value


def _metadata(nodes: int) -> bytes:
    return _encoded(
        {
            "binary_format_major_version": ("uint16", 2),
            "binary_format_minor_version": ("uint16", 0),
            "build_epoch": ("uint64", 1_700_000_000),
            "database_type": "Tests-Country",
            "description": {"en": "made by a test"},
            "ip_version": ("uint16", 6),
            "languages": [],
            "node_count": ("uint32", nodes),
            "record_size": ("uint16", 24),
        }
    )


def _encoded(value: Any) -> bytes:
    if isinstance(value, str):
        return _control("utf8", len(value)) + value.encode()
    if isinstance(value, list):
        return _control("array", len(value)) + b"".join(map(_encoded, value))
    if isinstance(value, dict):
        return _control("map", len(value)) + b"".join(_encoded(part) for pair in value.items() for part in pair)
    kind, number = value
    digits: bytes = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return _control(kind, len(digits)) + digits


def _control(kind: str, size: int) -> bytes:
    assert size < 29, "longer ones are written otherwise"
    number = _TYPES[kind]
    return bytes([number << 5 | size]) if number < 8 else bytes([size, number - 7])
