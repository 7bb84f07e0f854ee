"""PowerDNS where it fails; what it does is tested on a real server, in tests/lab."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from providers.dns.powerdns import PowerDns
from tests.contract.dns_checks import (
    test_refusals_and_failures_become_the_errors_of_one_tree,
    test_what_makes_no_sense_is_an_error_too,
)
from tests.contract.vendor import Vendor, standing_in

__all__ = ["test_refusals_and_failures_become_the_errors_of_one_tree", "test_what_makes_no_sense_is_an_error_too"]
VALUES = {"base_url": "https://ns1.example.com:8081/", "api_key": "k" * 20, "server_id": "localhost"}


@pytest.fixture
def fixture() -> SimpleNamespace:
    return SimpleNamespace(VALUES=VALUES, ERROR="Unauthorized")


@pytest.fixture
def vendors() -> Iterator[list[Vendor]]:
    vendor = Vendor(
        "https://ns1.example.com:8081/api/v1/servers/localhost",
        lambda call: call.headers["X-API-Key"] == VALUES["api_key"],
    )
    with standing_in(vendor):
        yield [vendor]


@pytest.fixture
def provider(vendors: list[Vendor]) -> PowerDns:
    return PowerDns(VALUES)
