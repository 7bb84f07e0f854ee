"""What every DNS provider does, on BIND by dynamic updates and on PowerDNS by its API."""

import socket
import threading
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.update
import pytest
from pytest_django import Settings

from deploynix.guard import RefusedAddress
from providers.base import Verdict
from providers.contracts.dns import EDIT, READ, DnsProvider
from providers.dns import powerdns, rfc2136
from providers.errors import (
    Conflict,
    InvalidCredential,
    MissingPermission,
    NotFound,
    ProviderError,
    Unavailable,
)
from tests.contract.dns_checks import (
    NAME,
    test_a_value_at_the_apex,
    test_each_declared_permission_is_proven,
    test_every_value_of_a_zone_is_told,
    test_other_types_are_set_too,
    test_the_zone_of_a_name_is_the_nearest,
    test_two_values_stand_side_by_side_and_neighbours_stay,
    test_zones_are_listed,
)
from tests.lab.dns_servers import SECRETS, Bind, DnsServer, PowerDns, Served
from tests.peers import Missing

__all__ = [
    "test_a_value_at_the_apex",
    "test_each_declared_permission_is_proven",
    "test_every_value_of_a_zone_is_told",
    "test_other_types_are_set_too",
    "test_the_zone_of_a_name_is_the_nearest",
    "test_two_values_stand_side_by_side_and_neighbours_stay",
    "test_zones_are_listed",
]
pytestmark = pytest.mark.lab


def started(kind: type[DnsServer]) -> Iterator[DnsServer]:
    try:
        server = kind()
    except Missing as reason:
        pytest.skip(str(reason))
    with server:
        yield server


@pytest.fixture(scope="module")
def bind() -> Iterator[Bind]:
    yield from started(Bind)  # type: ignore[misc]


@pytest.fixture(scope="module")
def pdns() -> Iterator[PowerDns]:
    yield from started(PowerDns)  # type: ignore[misc]


@pytest.fixture(params=["bind", "pdns"])
def server(request: pytest.FixtureRequest, settings: Settings) -> DnsServer:
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]
    found: DnsServer = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def state(server: DnsServer) -> Served:
    served = Served(server)
    served.clear()
    return served


@pytest.fixture
def edit_verdict() -> Verdict:
    return Verdict.GRANTED


@pytest.fixture
def provider(server: DnsServer) -> DnsProvider:
    return provider_at(server)


def provider_at(server: DnsServer, **other: str) -> DnsProvider:
    if isinstance(server, Bind):
        return rfc2136.Rfc2136(server.values(**other))
    assert isinstance(server, PowerDns)
    return powerdns.PowerDns(server.values(**other))


def test_long_values_and_quotes_arrive_whole(provider: DnsProvider, state: Served) -> None:
    zone = provider.find_zone(NAME)
    texts = ["x" * 254 + '"\\', 'say "yes"; (all)', "y" * 600]
    for text in texts:
        provider.ensure_record(zone, NAME, "TXT", text)
        provider.ensure_record(zone, NAME, "TXT", text)
    assert state.values("example.com", NAME) == sorted(texts)
    assert sorted(record.value for record in provider.records(zone, NAME, "TXT")) == sorted(texts)
    for text in texts:
        provider.remove_record(zone, NAME, "TXT", text)
    assert state.values("example.com", NAME) == []


def test_neighbours_keep_their_ttl(provider: DnsProvider, state: Served) -> None:
    state.add("example.com", NAME, "TXT", "somebody else's", 900)
    provider.ensure_record(provider.find_zone(NAME), NAME, "TXT", "ours")
    assert {row.ttl for row in state.found("example.com", NAME)} == {900}
    assert len(state.found("example.com", NAME)) == 2


@pytest.mark.parametrize("type", ["CNAME", "A"])
def test_an_alias_takes_no_place_of_others(provider: DnsProvider, state: Served, type: str) -> None:  # noqa: A002
    there, value = ("A", "192.0.2.1") if type == "CNAME" else ("CNAME", "a.example.net.")
    state.add("example.com", "app.example.com", there, value)
    zone = provider.find_zone("app.example.com")
    with pytest.raises(ProviderError):
        provider.ensure_record(zone, "app.example.com", type, "b.example.net" if type == "CNAME" else "192.0.2.2")
    assert [(row.type, row.value) for row in state.found("example.com")] == [(there, value)]


def test_a_second_alias_is_refused(provider: DnsProvider, state: Served) -> None:
    state.add("example.com", "app.example.com", "CNAME", "a.example.net.")
    with pytest.raises(Conflict):
        provider.ensure_record(provider.find_zone("app.example.com"), "app.example.com", "CNAME", "b.example.net")
    assert state.values("example.com", "app.example.com", "CNAME") == ["a.example.net."]


def test_a_value_that_makes_no_sense_changes_nothing(provider: DnsProvider, state: Served) -> None:
    with pytest.raises(ProviderError):
        provider.ensure_record(provider.find_zone("app.example.com"), "app.example.com", "A", "here")
    assert state.found("example.com") == []


def test_our_own_network_is_reached_only_where_the_operator_opens_it(provider: DnsProvider, settings: Settings) -> None:
    settings.OUTBOUND_ALLOW = []
    with pytest.raises(RefusedAddress, match=r"127\.0\.0\.1"):
        provider.verify()


def test_a_server_that_is_down_is_said_so(
    provider: DnsProvider, server: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploynix.http.FIRST_PAUSE", 0.0)
    server.stop()
    try:
        with pytest.raises(Unavailable, match="cannot be reached"):
            provider.verify()
    finally:
        server.start()


@pytest.fixture
def opened(settings: Settings) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]


@pytest.mark.usefixtures("opened")
class TestBind:
    @pytest.mark.parametrize(("key", "permission"), [("reader", EDIT), ("stranger", READ)])
    def test_what_the_key_may_not_do_is_named_with_its_fix(self, bind: Bind, key: str, permission: str) -> None:
        provider = provider_at(bind, key=key)
        checks = {check.permission: check for check in provider.verify().checks}
        assert checks[permission].verdict == Verdict.DENIED
        assert "REFUSED" in checks[permission].evidence
        assert "server's configuration" in checks[permission].fix
        with pytest.raises(MissingPermission) as failure:
            provider.ensure_record(provider.find_zone(NAME), NAME, "TXT", "one")
        assert failure.value.permission == permission

    def test_a_zone_of_many_messages_is_read_whole(self, bind: Bind) -> None:
        state, provider = Served(bind), provider_at(bind)
        state.clear()
        texts = {f"{number} " + "x" * 250 for number in range(600)}
        update = dns.update.UpdateMessage("example.com", keyring=bind.key)
        for number, text in enumerate(texts):
            update.add(f"host-{number}", 60, "TXT", f'"{text}"')
            if number % 100 == 99:
                assert dns.query.tcp(update, "127.0.0.1", timeout=10, port=bind.port).rcode() == dns.rcode.NOERROR
                update = dns.update.UpdateMessage("example.com", keyring=bind.key)
        found = [record for record in provider.all_records(provider.find_zone(NAME)) if record.type == "TXT"]
        assert len(found) == len(texts)
        assert {record.value for record in found} == texts
        state.clear()

    def test_where_transfers_are_refused_is_said_how_to_allow_them(self, bind: Bind) -> None:
        reader = provider_at(bind, key="reader")
        with pytest.raises(MissingPermission, match=r"REFUSED to a transfer of example\.com") as failure:
            reader.all_records(reader.find_zone(NAME))
        assert "allow-transfer" in failure.value.hint
        verdicts = {check.permission: check.verdict for check in reader.verify().checks}
        assert verdicts[rfc2136.TRANSFER] == Verdict.DENIED
        verdicts = {check.permission: check.verdict for check in provider_at(bind).verify().checks}
        assert verdicts[rfc2136.TRANSFER] == Verdict.GRANTED

    @pytest.mark.parametrize(
        "wrong",
        [
            {"key_name": "nobody"},
            {"key_secret": SECRETS["admin"]},
            {"key_algorithm": "hmac-sha512"},
            {"key_secret": "%"},
        ],
    )
    def test_a_key_that_the_server_does_not_know(self, bind: Bind, wrong: dict[str, str]) -> None:
        with pytest.raises(InvalidCredential) as failure:
            provider_at(bind, **wrong).verify()
        assert SECRETS["deploynix"] not in f"{failure.value.message} {failure.value.hint}"

    def test_a_zone_that_it_does_not_keep(self, bind: Bind) -> None:
        provider = provider_at(bind, zone="elsewhere.org")
        with pytest.raises((NotFound, MissingPermission)):
            provider.find_zone("www.elsewhere.org")

    def test_a_zone_that_was_not_given_is_left_alone(self, bind: Bind) -> None:
        assert provider_at(bind, zone="example.com").find_zone("www.shop.example.com").name == "example.com"
        with pytest.raises(NotFound):
            provider_at(bind, zone="Shop.Example.com.").find_zone("www.example.com")


@pytest.mark.usefixtures("opened")
class TestPowerDns:
    def test_a_key_that_the_server_does_not_know(self, pdns: PowerDns) -> None:
        with pytest.raises(InvalidCredential, match="401"):
            provider_at(pdns, api_key="another-key").verify()

    def test_a_server_id_that_there_is_not(self, pdns: PowerDns) -> None:
        with pytest.raises(NotFound, match="404"):
            provider_at(pdns, server_id="ns1").verify()

    def test_values_that_are_switched_off_stay(self, pdns: PowerDns) -> None:
        state, provider = Served(pdns), provider_at(pdns)
        assert isinstance(provider, powerdns.PowerDns)
        state.clear()
        zone = provider.find_zone(NAME)
        off = {"content": '"later"', "disabled": True}
        rows = {"name": f"{NAME}.", "type": "TXT", "ttl": 300, "changetype": "REPLACE", "records": [off]}
        provider.call("PATCH", f"/zones/{zone.id}", json={"rrsets": [rows]})

        provider.ensure_record(zone, NAME, "TXT", "ours")
        assert state.values("example.com", NAME) == ["ours"]
        assert kept(provider, zone.id) == [off, {"content": '"ours"', "disabled": False}]
        provider.remove_record(zone, NAME, "TXT", "ours")
        assert kept(provider, zone.id) == [off]
        provider.ensure_record(zone, NAME, "TXT", "later")
        assert kept(provider, zone.id) == [{**off, "disabled": False}]
        provider.remove_record(zone, NAME, "TXT", "later")
        assert kept(provider, zone.id) == []


def kept(provider: powerdns.PowerDns, zone: str) -> list[dict[str, object]]:
    sets = provider.call("GET", f"/zones/{zone}")["rrsets"]
    found = [record for each in sets if each["name"] == f"{NAME}." for record in each["records"]]
    return sorted(found, key=lambda record: str(record["content"]))


def unsigned(question: bytes) -> bytes:
    """What somebody on the way could send."""
    parsed = dns.message.from_wire(question, keyring=False)
    answer = dns.message.make_response(dns.message.make_query(parsed.question[0].name, "SOA", id=parsed.id))
    answer.flags |= dns.flags.AA
    return answer.to_wire()


@pytest.mark.usefixtures("opened")
@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (unsigned, "requires a TSIG"),
        (lambda question: b"\0" * 30, "cannot be used"),
        (lambda question: b"", "cannot be used"),
    ],
)
def test_only_a_signed_answer_counts(bind: Bind, reply: object, said: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        thread = threading.Thread(target=answer_once, args=(door, reply), daemon=True)
        thread.start()
        with pytest.raises(Unavailable, match=said):
            provider_at(bind, port=str(door.getsockname()[1])).find_zone(NAME)
        thread.join(10)


def answer_once(door: socket.socket, reply: object) -> None:
    connection, _ = door.accept()
    with connection:
        length = int.from_bytes(connection.recv(2, socket.MSG_WAITALL))
        assert callable(reply)
        answer = reply(connection.recv(length, socket.MSG_WAITALL))
        connection.sendall(len(answer).to_bytes(2) + answer)


@pytest.mark.usefixtures("opened")
def test_a_server_that_says_nothing_is_not_waited_for(bind: Bind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rfc2136, "ANSWER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as door, pytest.raises(Unavailable, match="cannot be reached"):
        provider_at(bind, port=str(door.getsockname()[1])).find_zone(NAME)
