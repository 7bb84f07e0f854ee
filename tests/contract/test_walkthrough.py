"""docs/adding-a-provider.md says how a provider is added. Here that is done, with the files that stand in it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "adding-a-provider.md"
FILE = re.compile(r"`((?:providers|tests)/[\w/]+\.py)`:\n\n```python\n(.*?)```", re.DOTALL)
# Loaded before anything is collected: the folder's packages are looked into, besides those of the project.
PLUGIN = """
import importlib
from pathlib import Path

for name in ("providers.dns", "tests.contract.dns"):
    package = importlib.import_module(name)
    package.__path__.append(str(Path(__file__).parent.joinpath(*name.split("."))))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of the page, outside of the project."""
    for name, text in FILE.findall(PAGE.read_text()):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "walkthrough.py").write_text(PLUGIN)
    return tmp_path


def run(folder: Path, *arguments: str) -> str:
    environment = os.environ | {"PYTHONPATH": f"{folder}:{ROOT}", "DATA": str(folder / "data")}
    done = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_page_holds_an_adapter_and_its_fixture(folder: Path) -> None:
    found = sorted(str(path.relative_to(folder)) for path in folder.rglob("exampledns.py"))
    assert found == ["providers/dns/exampledns.py", "tests/contract/dns/exampledns.py"]


def test_the_contract_holds(folder: Path) -> None:
    pytest_run = ("pytest", "-p", "walkthrough", "-p", "no:cacheprovider", "-q", "-k", "exampledns")
    suites = ("tests/contract/test_dns.py", "tests/contract/test_any_answer.py", "tests/providers/test_declarations.py")
    printed = run(folder, *pytest_run, *suites)
    passed = re.search(r"(\d+) passed", printed)
    assert passed, printed
    assert int(passed[1]) > 15
    assert "skipped" not in printed


def test_it_is_written_as_the_project_is(folder: Path) -> None:
    run(folder, "ruff", "check", "--no-cache", "--config", str(ROOT / "pyproject.toml"), str(folder / "providers"))
    run(
        folder,
        "ruff",
        "format",
        "--check",
        "--no-cache",
        "--config",
        str(ROOT / "pyproject.toml"),
        str(folder / "providers"),
    )
