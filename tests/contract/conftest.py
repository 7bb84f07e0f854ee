"""Amazon, as moto plays it."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from providers.clients.aws import AwsProvider
from tests.contract.aws import Moto


@pytest.fixture(scope="module")
def moto() -> Iterator[Moto]:
    with Moto() as server:
        yield server


@pytest.fixture
def at_moto(moto: Moto, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Amazon's providers find it in Amazon's place."""
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]
    monkeypatch.setattr(AwsProvider, "endpoint_url", moto.url)
