"""Providers that no vendor stands behind, beside the real ones."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploynix.actor import Actor
from jobs.runner import run_job
from providers import actions
from providers.models import Credential
from providers.registry import providers_of
from tests.providers import asking

FAKES = Path(__file__).parent / "fakes"
FOLDERS = ("dns", "git", "servers", "storage")


@pytest.fixture(autouse=True)
def _fakes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """For the registry, they are files like any other."""
    before = set(sys.modules)
    for folder in FOLDERS:
        package = importlib.import_module(f"providers.{folder}")
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(FAKES / folder)])
    providers_of.cache_clear()
    yield
    providers_of.cache_clear()
    fakes = {f"providers.{path.parent.name}.{path.stem}" for path in FAKES.glob("*/*.py")}
    for name in (set(sys.modules) - before) & fakes:
        del sys.modules[name]


@pytest.fixture
def credential(owner: Actor) -> Credential:
    return asking.connect(owner)


@pytest.fixture
def checked(owner: Actor) -> Any:
    """Connects Nimbus with this token, and has it verified."""

    def check(token: str) -> Credential:
        credential = asking.connect(owner, values={"api_token": token})
        run_job(getattr(actions.open_check(credential), "pk", ""))
        return Credential.objects.get(pk=credential.pk)

    return check
