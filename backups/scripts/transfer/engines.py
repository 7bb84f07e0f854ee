"""What the kinds of backup have in common: a dump, and facts to know before it."""

from __future__ import annotations

import shutil
from typing import Any

import encryption
import files
import mariadb
import postgresql
from pipeline import Program
from talk import Failed, say

ENGINES = {"mariadb": mariadb, "mysql": mariadb, "postgresql": postgresql, "files": files}


def dump(values: dict[str, Any]) -> Program:
    return ENGINES[values["engine"]].dump(values)


def tell_facts(values: dict[str, Any]) -> None:
    """Says `facts`: `engine`, `size` in bytes, and what the engine's own module adds. Raises Failed."""
    encryption.check(values["encryption"])
    if not shutil.which("zstd"):
        raise Failed("prepare", "The server has no zstd.", "Install it on the server: apt-get install zstd.")
    say(facts={"engine": values["engine"], **ENGINES[values["engine"]].facts(values)})
