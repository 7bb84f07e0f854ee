"""Domain Connect from end to end: an independent program is the DNS provider, the zone is PowerDNS's."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from pytest_django import Settings

from deploynix import env
from deploynix.actor import Actor
from deploynix.errors import Conflict
from domains import actions
from domains.domain_connect import discovery, keys
from domains.domain_connect.keys import key_name, public_records
from domains.domain_connect.template import template
from domains.kinds import checking
from domains.models import Connection, State, Way
from jobs.models import Status
from organizations.models import Role
from tests import factories
from tests.lab.dns_provider import DnsProvider, interpreter, serving
from tests.lab.dns_servers import Served
from tests.lab.names import Names
from tests.lab.test_connections import ADDRESS, connect, work
from tests.peers import Missing

pytestmark = [pytest.mark.lab, pytest.mark.elsewhere, pytest.mark.django_db(transaction=True)]
ZONE, KEYS = "pdns.test", "example.test"


@pytest.fixture
def owner() -> Actor:
    return factories.actor(factories.organization("Acme"), Role.OWNER, "owner@acme.test")


@pytest.fixture
def provider(
    names: Names, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DnsProvider]:
    """It has the template, and its zone says so; our public key is published."""
    try:
        interpreter()
    except Missing as reason:
        pytest.skip(str(reason))
    settings.BASE_URL = "https://panel.example.com"
    settings.DOMAIN_CONNECT_PROVIDER_ID = KEYS
    settings.DOMAIN_CONNECT_KEY = env.pem("DOMAIN_CONNECT_KEY", production=False, folder=tmp_path)
    # A provider of the Internet has a certificate.
    monkeypatch.setattr(discovery, "SCHEME", "http")
    monkeypatch.setattr(checking, "FRESH_SECONDS", 5.0)
    publish_key(names)
    with serving(DnsProvider(template(), ZONE, names.resolver.address)) as provider:
        Served(names.pdns).add(ZONE, f"_domainconnect.{ZONE}", "TXT", f"{provider.host}/dc")
        yield provider


@pytest.fixture
def connection(owner: Actor, provider: DnsProvider) -> Connection:
    """One that can be handed over."""
    found = connect(owner, f"shop.{ZONE}", Way.DOMAIN_CONNECT, A=ADDRESS, TXT='say "hi" & go+on')
    assert work(found).status == Status.SUCCEEDED
    assert (found.state, found.dns_provider, found.apex) == (State.PENDING, "Virtucon Domains", ZONE)
    return found


def publish_key(names: Names) -> None:
    served = Served(names.bind)
    served.drop(KEYS, f"{key_name()}.{KEYS}")
    for value in public_records():
        served.add(KEYS, f"{key_name()}.{KEYS}", "TXT", value)


def zone_of(names: Names) -> list[dict[str, object]]:
    """As the provider's program wants it."""
    found = Served(names.pdns).found(ZONE)
    names_of = [row.name.rstrip(".").removesuffix(ZONE).rstrip(".") or "@" for row in found]
    rows = zip(names_of, found, strict=True)
    return [{"type": row.type, "name": name, "data": row.value, "ttl": row.ttl} for name, row in rows]


def test_a_domain_is_connected_at_its_provider(
    owner: Actor, connection: Connection, provider: DnsProvider, names: Names
) -> None:
    served = Served(names.pdns)
    served.add(ZONE, f"shop.{ZONE}", "TXT", "of others")
    address = actions.hand_over(owner, connection=connection)
    assert address.startswith(f"http://{provider.host}/ux/v2/domainTemplates/providers/{KEYS}/services/connect/apply?")
    answer = provider.consent(address, zone_of(names))
    assert answer.get("deleted") == [], answer
    for row in answer["new"]:
        name = ZONE if row["name"] == "@" else f"{row['name']}.{ZONE}"
        value = row["data"].replace('"', '\\"') if row["type"] == "TXT" else row["data"]
        served.add(ZONE, name, row["type"], value)

    back = provider.back(address)
    actions.take_back(owner, state=back["state"])
    connection.refresh_from_db()
    assert connection.state == State.VERIFYING
    work(connection)
    assert connection.state == State.ACTIVE, connection.reason
    assert served.values(ZONE, f"shop.{ZONE}") == ["of others", 'say "hi" & go+on']
    # No credential is stored, and a state holds once.
    assert connection.credential is None
    with pytest.raises(Conflict):
        actions.take_back(owner, state=back["state"])


@pytest.mark.parametrize("part", ["ipv4", "domain", "redirect_uri", "state", "token"])
def test_a_request_that_was_tampered_with_is_refused(
    owner: Actor, connection: Connection, provider: DnsProvider, names: Names, part: str
) -> None:
    address = actions.hand_over(owner, connection=connection)
    [value] = parse_qs(urlsplit(address).query)[part]
    forged = address.replace(f"{part}={value[:3]}", f"{part}=x{value[:3]}")
    assert forged != address
    assert provider.consent(forged, zone_of(names))["error"] == "Signature not valid"


@pytest.mark.parametrize("letters_before_the_cut", [0, 1])
def test_a_key_is_read_wherever_its_parts_would_meet(
    owner: Actor,
    connection: Connection,
    provider: DnsProvider,
    names: Names,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    letters_before_the_cut: int,
) -> None:
    """The provider's program takes letters n from both ends of each part."""
    for number in itertools.count():
        settings.DOMAIN_CONNECT_KEY = env.pem(f"KEY_{number}", production=False, folder=tmp_path)
        key = "".join(value.partition("d=")[2] for value in public_records())
        if "n" in key[100:200]:
            break
    monkeypatch.setattr(keys, "PART", key.index("n", 100) + letters_before_the_cut)
    publish_key(names)
    answer = provider.consent(actions.hand_over(owner, connection=connection), zone_of(names))
    assert answer.get("deleted") == [], answer


def test_another_key_does_not_sign_for_us(
    owner: Actor, connection: Connection, provider: DnsProvider, names: Names, settings: Settings, tmp_path: Path
) -> None:
    settings.DOMAIN_CONNECT_KEY = env.pem("ANOTHER_KEY", production=False, folder=tmp_path)
    address = actions.hand_over(owner, connection=connection)
    assert "Unable to get public key" in provider.consent(address, zone_of(names))["error"]


def test_a_provider_that_does_not_know_the_template(owner: Actor, provider: DnsProvider) -> None:
    provider.template = {**provider.template, "serviceId": "another"}
    connection = connect(owner, f"shop.{ZONE}", Way.DOMAIN_CONNECT)
    job = work(connection)
    assert job.status == Status.FAILED
    assert "Virtucon Domains does not know the template" in connection.reason
    assert connection.state == State.PENDING
    with pytest.raises(Conflict):
        actions.hand_over(owner, connection=connection)
