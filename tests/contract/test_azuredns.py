"""What only Azure DNS does: client credentials, entity tags, alias record sets, links to pages."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from providers.dns.azuredns import AzureDns
from providers.errors import Conflict, InvalidCredential
from tests.contract.dns import azuredns as fixture
from tests.contract.state import DnsState
from tests.contract.vendor import Call, Reply, Vendor, standing_in

NAME = "_acme-challenge.example.com"


@pytest.fixture
def state() -> DnsState:
    return DnsState()


@pytest.fixture
def vendors(state: DnsState) -> Iterator[list[Vendor]]:
    found = fixture.vendors(state)
    with standing_in(*found):
        yield found


@pytest.fixture
def provider(vendors: list[Vendor]) -> AzureDns:
    return AzureDns(fixture.VALUES)


def test_the_fields_are_taken_as_one_text() -> None:
    assert AzureDns.parse(fixture.ONE_STRING) == fixture.VALUES


@pytest.mark.parametrize(
    "text", ["secret", "[]", "{}", '{"tenant_id": 1}', json.dumps({**fixture.VALUES, "client_id": None})]
)
def test_an_incomplete_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="give a JSON object with tenant_id, client_id"):
        AzureDns.parse(text)


def test_a_secret_that_has_ended(provider: AzureDns, vendors: list[Vendor]) -> None:
    said = "AADSTS7000222: The provided client secret keys are expired."
    vendors[1].on("POST", ".*", (401, {"error": "invalid_client", "error_description": said}))
    with pytest.raises(InvalidCredential, match="AADSTS7000222"):
        provider.verify()


def test_a_resource_group_that_there_is_not(provider: AzureDns, vendors: list[Vendor]) -> None:
    vendors[0].on(
        "GET", ".*", fixture.error(404, "ResourceGroupNotFound", "Resource group 'web dns' could not be found.")
    )
    for call in (provider.verify, lambda: provider.find_zone(NAME)):
        with pytest.raises(InvalidCredential, match="could not be found") as failure:
            call()
        assert "resource group" in failure.value.hint


def test_the_token_goes_to_azure_only(provider: AzureDns, vendors: list[Vendor]) -> None:
    page = {
        "value": [fixture.shown_zone("example.com")],
        "nextLink": "https://management.azure.com.example.net/?page=2",
    }
    vendors[0].on("GET", fixture.ZONES, (200, page))
    assert [zone.name for zone in provider.zones()] == ["example.com"]


def test_a_write_of_somebody_else_in_between_is_kept(
    provider: AzureDns, vendors: list[Vendor], state: DnsState
) -> None:
    zone = provider.find_zone(NAME)

    def beaten(call: Call) -> Reply:
        vendors[0].on("PUT", fixture.SETS, lambda call: fixture.put(state, call))
        state.add("example.com", NAME, "TXT", "in between")
        return fixture.put(state, call)

    vendors[0].on("PUT", fixture.SETS, beaten)
    provider.ensure_record(zone, NAME, "TXT", "ours")
    assert state.values("example.com", NAME) == ["in between", "ours"]


def record_set(**properties: Any) -> Reply:
    return 200, {"etag": "e1", "name": "_acme-challenge", "properties": {"TTL": 900, **properties}}


def test_neighbours_and_notes_are_written_back_as_they_were(provider: AzureDns, vendors: list[Vendor]) -> None:
    zone = provider.find_zone(NAME)
    vendors[0].on(
        "GET", fixture.SETS, record_set(metadata={"owner": "mail"}, TXTRecords=[{"value": ["a long", " text"]}])
    )
    vendors[0].on("PUT", fixture.SETS, record_set())
    provider.ensure_record(zone, NAME, "TXT", "x" * 300)
    assert vendors[0].calls[-1].json == {
        "properties": {
            "TTL": 900,
            "metadata": {"owner": "mail"},
            "TXTRecords": [{"value": ["a long", " text"]}, {"value": ["x" * 255, "x" * 45]}],
        }
    }
    assert vendors[0].calls[-1].headers["If-Match"] == "e1"


def test_an_alias_of_a_resource_is_left_alone(provider: AzureDns, vendors: list[Vendor]) -> None:
    zone = provider.find_zone(NAME)
    vendors[0].on("GET", fixture.SETS, record_set(targetResource={"id": "/subscriptions/x"}, ARecords=[]))
    with pytest.raises(Conflict, match="alias of an Azure resource"):
        provider.ensure_record(zone, NAME, "A", "192.0.2.1")
