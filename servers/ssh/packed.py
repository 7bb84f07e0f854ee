"""A script and its values as one stream for standard input, where the process list cannot show them."""

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploynix.errors import Error

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
# MAX_ARG_STRLEN of Linux (execve(2)): with a longer variable no program can be started.
LONGEST_VARIABLE = 131072
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Packed:
    """`program flag boot name` is the command; `data` goes to its standard input."""

    program: str
    flag: str
    boot: str
    name: str
    data: bytes = field(repr=False)

    @property
    def command(self) -> list[str]:
        return [self.program, self.flag, self.boot, self.name]


def pack(script: Path | str, values: Mapping[str, Any], stdin: bytes = b"") -> Packed:
    """A script by path, or by its name in servers/scripts.

    A shell script (`.sh`) gets the values, all texts, as its environment, and `stdin` as standard input.
    A Python script (`.py`, or a folder with a `__main__.py`) gets one line of JSON on its standard input, and
    `stdin` after it.
    """
    path = SCRIPTS / script if isinstance(script, str) else script
    if path.suffix == ".sh":
        data = _variables(values) + b"\n" + _sized(path.read_bytes()) + stdin
        return Packed("/bin/bash", "-c", _boot("boot.sh"), path.name, data)
    data = _sized(json.dumps(modules(path)).encode()) + json.dumps(values).encode() + b"\n" + stdin
    return Packed("/usr/bin/python3", "-Ic", _boot("boot.py"), path.name, data)


def modules(path: Path) -> dict[str, str]:
    """The texts of a Python script by module name; `__main__` is what runs."""
    if path.is_dir():
        return {file.stem: file.read_text() for file in path.glob("*.py")}
    return {"__main__": path.read_text()}


def _sized(data: bytes) -> bytes:
    return f"{len(data)}\n".encode() + data


def _variables(values: Mapping[str, str]) -> bytes:
    return b"".join(_variable(name, value) for name, value in values.items())


def _variable(name: str, value: str) -> bytes:
    encoded = value.encode()
    if not VARIABLE.fullmatch(name):
        raise Error(f"{name!r} cannot be the name of an environment variable.", "Use letters, digits and _.")
    if b"\0" in encoded:
        raise Error(f"The value of {name} holds a NUL character, which no environment variable can.")
    if len(name) + len(encoded) + 2 > LONGEST_VARIABLE:
        raise Error(f"The value of {name} is too long.", f"Linux allows {LONGEST_VARIABLE // 1024} KiB.")
    return name.encode() + b" " + b64encode(encoded) + b"\n"


def _boot(name: str) -> str:
    return (SCRIPTS / name).read_text()
