"""The README's main job, from an empty database, as `make demo` does it: on each way to run Deploynix."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.peers import PostgreSQL, Redis

ROOT = Path(__file__).resolve().parents[2]
STEPS = [
    "get a server",
    "start Deploynix",
    "register",
    "add and provision the server",
    "create the site",
    "deploy",
    "deploy a second commit",
    "roll back",
]
pytestmark = pytest.mark.e2e


def demo(**variables: str) -> tuple[int, dict[str, object]]:
    """Runs it as a person would; returns its exit code and its last line."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "DEPLOYNIX_TARGET_HOSTS") if name in os.environ}
    result = subprocess.run(
        [sys.executable, "-m", "tools.demo"], cwd=ROOT, env=inherited | variables, capture_output=True, text=True
    )
    print(result.stdout, result.stderr)
    last_line: dict[str, object] = json.loads(result.stdout.splitlines()[-1])
    return result.returncode, last_line


def step_names(result: dict[str, object]) -> list[str]:
    steps = result["steps"]
    assert isinstance(steps, list)
    return [step["name"] for step in steps]


def test_the_main_job_on_sqlite_and_an_embedded_redis() -> None:
    code, result = demo()
    assert (code, result["ok"], step_names(result)) == (0, True, STEPS)


def test_the_main_job_on_postgresql_and_redis() -> None:
    with PostgreSQL() as database, Redis() as broker:
        code, result = demo(DATABASE_URL=database.url, REDIS_URL=broker.url)
    assert (code, result["ok"], step_names(result)) == (0, True, STEPS)


def test_a_server_that_cannot_be_used_ends_it_with_the_step_and_the_reason() -> None:
    code, result = demo(HOST="root@192.0.2.1", KEY="/nowhere/key")
    assert (code, result["ok"], result["step"]) == (1, False, "get a server")
    assert "KEY=/nowhere/key cannot be read" in str(result["error"])
