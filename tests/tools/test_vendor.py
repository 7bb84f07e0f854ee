"""The front-end files of others are those that were fetched."""

import shutil
from pathlib import Path

import pytest

from tools import vendor


def test_nobody_changed_a_vendored_file() -> None:
    assert vendor.check() == []


def test_a_changed_a_missing_and_an_added_file_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "vendor"
    shutil.copytree(vendor.FOLDER, copy)
    monkeypatch.setattr(vendor, "FOLDER", copy)
    (copy / "htmx.min.js").write_text("alert(1)")
    (copy / "icons.svg").unlink()
    (copy / "more.js").write_text("")
    assert vendor.check() == ["more.js is not in SHA256SUMS", "icons.svg is missing", "htmx.min.js was changed"]


def test_the_readme_names_each_package_at_its_version() -> None:
    readme = (vendor.FOLDER / "README.md").read_text()
    for package in (vendor.CORE, vendor.TABLER_ICONS, vendor.HTMX):
        assert package.name in readme
        assert f"| {package.version} |" in readme
