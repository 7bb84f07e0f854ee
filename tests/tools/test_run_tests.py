"""`make test` is green only for what has run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.run_tests import chosen, summary, verdict

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("outcome", "requires_all", "code"),
    [
        ("passed", True, 0),
        ("FAILED", False, 1),
        ("not run: Chromium is not installed", False, 0),
        ("not run: Chromium is not installed", True, 1),
    ],
)
def test_a_suite_that_did_not_run_fails_only_where_all_are_required(
    outcome: str, requires_all: bool, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert summary({"unit": "passed", "browser": outcome}, requires_all) == code
    assert f"browser: {outcome}" in capsys.readouterr().out


def test_suites_can_be_chosen_by_name() -> None:
    assert [suite.name for suite in chosen(["browser", "unit"])] == ["browser", "unit"]
    assert {"lab", "lab-postgresql", "e2e"} <= {suite.name for suite in chosen([])}
    assert "soak" not in {suite.name for suite in chosen([])}
    assert [suite.name for suite in chosen(["soak"])] == ["soak"]
    with pytest.raises(SystemExit, match="no suite units"):
        chosen(["units"])


def test_a_suite_without_tests_has_not_run() -> None:
    assert verdict(5).startswith("not run")
    assert verdict(2) == "FAILED"


@pytest.mark.parametrize(("options", "code"), [([], 0), (["-p", "tests.no_skips"], 1)])
def test_a_skip_fails_the_run_where_all_are_required(options: list[str], code: int, tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text("import pytest\ndef test_one():\n    pytest.skip('no such part')\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:django", "-p", "no:xdist", *options, "--rootdir", "."]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    result = subprocess.run([*command, "test_one.py"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert result.returncode == code
    assert ("NOT ALLOWED TO SKIP test_one.py::test_one" in result.stdout) is bool(code)
