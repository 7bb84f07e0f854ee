"""What every DNS provider does, on its own vendor's terms."""

import importlib
from collections.abc import Iterator
from importlib.util import find_spec
from types import ModuleType
from typing import cast

import pytest
from dns import rdata
from dns.rdtypes.ANY.TXT import TXT

from providers.base import Kind, Verdict
from providers.contracts.dns import EDIT, READ, DnsProvider
from providers.contracts.zone_file import quoted, unquoted
from providers.errors import MissingPermission
from providers.registry import providers_of
from tests.contract.dns_checks import (
    NAME,
    test_a_name_has_one_alias,
    test_a_name_outside_of_the_zone_is_refused,
    test_a_probe_that_cannot_be_read_back_is_removed,
    test_a_value_at_the_apex,
    test_a_wildcard_is_a_name_like_others,
    test_an_answer_that_got_lost_is_no_error_where_all_was_done,
    test_any_text_can_be_a_value,
    test_each_declared_permission_is_proven,
    test_every_page_of_a_zone_is_read,
    test_every_value_of_a_zone_is_told,
    test_other_types_are_set_too,
    test_refusals_and_failures_become_the_errors_of_one_tree,
    test_somebody_else_may_write_at_any_moment,
    test_the_zone_of_a_name_is_the_nearest,
    test_two_values_stand_side_by_side_and_neighbours_stay,
    test_what_is_written_differently_is_the_same,
    test_what_makes_no_sense_is_an_error_too,
    test_zones_are_listed,
)
from tests.contract.state import DnsState
from tests.contract.vendor import Vendor, standing_in

__all__ = [
    "test_a_name_has_one_alias",
    "test_a_name_outside_of_the_zone_is_refused",
    "test_a_probe_that_cannot_be_read_back_is_removed",
    "test_a_value_at_the_apex",
    "test_a_wildcard_is_a_name_like_others",
    "test_an_answer_that_got_lost_is_no_error_where_all_was_done",
    "test_any_text_can_be_a_value",
    "test_each_declared_permission_is_proven",
    "test_every_page_of_a_zone_is_read",
    "test_every_value_of_a_zone_is_told",
    "test_other_types_are_set_too",
    "test_refusals_and_failures_become_the_errors_of_one_tree",
    "test_somebody_else_may_write_at_any_moment",
    "test_the_zone_of_a_name_is_the_nearest",
    "test_two_values_stand_side_by_side_and_neighbours_stay",
    "test_what_is_written_differently_is_the_same",
    "test_what_makes_no_sense_is_an_error_too",
    "test_zones_are_listed",
]

# The one that speaks DNS itself is tested on a real server, in tests/lab; Route 53 on moto.
ELSEWHERE = {"rfc2136", "route53"}
PROVIDERS = sorted(set(providers_of(Kind.DNS)) - ELSEWHERE)


def deniable(key: str) -> list[str]:
    """The permissions that the vendor can withhold: a fixture names those that it cannot in UNDENIABLE."""
    name = f"tests.contract.dns.{key}"
    undeniable = getattr(importlib.import_module(name), "UNDENIABLE", ()) if find_spec(name) else ()
    return [permission for permission in (READ, EDIT) if permission not in undeniable]


@pytest.fixture(params=PROVIDERS)
def fixture(request: pytest.FixtureRequest) -> ModuleType:
    """Fails for a provider without one."""
    return importlib.import_module(f"tests.contract.dns.{request.param}")


@pytest.fixture
def state(fixture: ModuleType) -> DnsState:
    return cast(DnsState, fixture.state() if hasattr(fixture, "state") else DnsState())


@pytest.fixture
def vendors(fixture: ModuleType, state: DnsState) -> Iterator[list[Vendor]]:
    found: list[Vendor] = fixture.vendors(state)
    with standing_in(*found):
        yield found


@pytest.fixture
def provider(fixture: ModuleType, vendors: list[Vendor]) -> DnsProvider:
    key = fixture.__name__.rpartition(".")[2]
    return cast(DnsProvider, providers_of(Kind.DNS)[key](fixture.VALUES))


@pytest.fixture
def edit_verdict(fixture: ModuleType) -> Verdict:
    """Where trying does harm, the fixture says so: then it cannot be tested."""
    return cast(Verdict, getattr(fixture, "EDIT_VERDICT", Verdict.GRANTED))


@pytest.mark.parametrize(
    ("fixture", "permission"),
    [(key, permission) for key in PROVIDERS for permission in deniable(key)],
    indirect=["fixture"],
)
def test_a_permission_that_is_missing_is_named_with_its_fix(
    provider: DnsProvider, state: DnsState, fixture: ModuleType, permission: str
) -> None:
    state.denied = {permission}
    checks = {check.permission: check for check in provider.verify().checks}
    assert checks[permission].verdict == Verdict.DENIED
    assert str(getattr(fixture, "DENIED_STATUS", 403)) in checks[permission].evidence
    assert checks[permission].fix
    with pytest.raises(MissingPermission) as failure:
        provider.ensure_record(provider.find_zone(NAME), NAME, "TXT", "one")
    assert failure.value.permission == permission


@pytest.mark.parametrize("text", ["", "plain", 'with "quotes" and \\', "x" * 300, "x" * 254 + '"\\', "é" * 200, "\n"])
def test_quoting_is_undone(text: str) -> None:
    assert unquoted(quoted(text)) == text
    parsed = rdata.from_text("IN", "TXT", quoted(text))
    assert isinstance(parsed, TXT)
    assert b"".join(parsed.strings).decode() == text
