"""What runs on servers, without one."""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import backups

TRANSFER = Path(backups.__file__).parent / "scripts" / "transfer"


def transfer(name: str) -> ModuleType:
    """A module of the program that moves backups, as it is found on a server."""
    sys.path.insert(0, str(TRANSFER))
    try:
        return import_module(name)
    finally:
        sys.path.remove(str(TRANSFER))
