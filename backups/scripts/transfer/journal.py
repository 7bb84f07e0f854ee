"""What a swap must know to be undone, on disk, where it survives whatever ends the program."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import Any

FOLDER = "/var/lib/deploynix/restores"


def write(scratch: str, values: dict[str, Any]) -> None:
    os.makedirs(FOLDER, 0o700, exist_ok=True)
    path = _path(scratch)
    with open(os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(values, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(f"{path}.new", path)
    sync(FOLDER)


def read(scratch: str) -> dict[str, Any] | None:
    """None where there is nothing to undo."""
    with suppress(FileNotFoundError), open(_path(scratch)) as file:
        values: dict[str, Any] = json.load(file)
        return values
    return None


def remove(scratch: str) -> None:
    with suppress(FileNotFoundError):
        os.remove(_path(scratch))
        sync(FOLDER)


def sync(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _path(scratch: str) -> str:
    return os.path.join(FOLDER, f"{scratch}.json")
