import pytest
from django.test import Client


@pytest.mark.parametrize("address", ["/servers?q=a%00b", "/servers/%00", "/settings/audit?text=%00"])
def test_a_nul_character_in_an_address_is_a_bad_request_on_every_database(owner_client: Client, address: str) -> None:
    assert owner_client.get(address).status_code == 400
