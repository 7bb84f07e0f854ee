"""DNS by RFC 2136 where a server fails; what it does is tested on a real one, in tests/lab."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rrset
import dns.update
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from providers.clients import transfer
from providers.contracts.dns import Zone
from providers.dns.rfc2136 import Rfc2136
from providers.errors import InvalidCredential, ProviderError, Unavailable
from tests.examples import share

SECRET = "c2VjcmV0IHRoYXQgb25seSB0d28ga25vdw=="
VALUES = {
    "server": "127.0.0.1",
    "zone": "example.com",
    "key_name": "deploynix.",
    "key_secret": SECRET,
    "key_algorithm": "hmac-sha256",
}
NAME = "_acme-challenge.example.com"


@pytest.fixture(autouse=True)
def _opened(settings: Settings) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]


@contextmanager
def answered(reply: Callable[[bytes], bytes]) -> Iterator[Rfc2136]:
    """The provider at a server that answers one question so, and closes."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        thread = threading.Thread(target=answer_once, args=(door, reply), daemon=True)
        thread.start()
        yield Rfc2136({**VALUES, "port": str(door.getsockname()[1])})
        thread.join(10)


def answer_once(door: socket.socket, reply: Callable[[bytes], bytes]) -> None:
    connection, _ = door.accept()
    with connection:
        length = int.from_bytes(connection.recv(2, socket.MSG_WAITALL))
        connection.sendall(reply(connection.recv(length, socket.MSG_WAITALL)))


@pytest.mark.parametrize("reply", [b"", b"\0", b"\0\x20half of it"])
def test_a_server_that_hangs_up_is_unavailable(reply: bytes) -> None:
    with answered(lambda question: reply) as provider, pytest.raises(Unavailable, match="cannot be reached"):
        provider.zone_named("example.com")


def look_up(provider: Rfc2136) -> object:
    return provider.zone_named("example.com")


def read_all(provider: Rfc2136) -> object:
    return provider.all_records(Zone("example.com", "example.com"))


@pytest.mark.soak
@pytest.mark.parametrize("ask", [look_up, read_all])
@settings(max_examples=share(2))
@given(tail=st.binary(max_size=80), kept=st.integers(0, 40))
def test_any_bytes_are_an_error_of_the_tree(ask: Callable[[Rfc2136], object], tail: bytes, kept: int) -> None:
    def reply(question: bytes) -> bytes:
        # Its first bytes make it an answer to the question.
        body = question[:2] + b"\x84" + question[3:kept] + tail
        return len(body).to_bytes(2) + body

    with answered(reply) as provider, pytest.raises(ProviderError) as failure:
        ask(provider)
    assert SECRET not in f"{failure.value} {failure.value.hint}"


def unsigned_copy(question: bytes) -> bytes:
    """A whole zone in one message that anybody on the way could have written."""
    asked = dns.message.from_wire(question, keyring=False)
    answer = dns.message.make_response(dns.message.make_query(asked.question[0].name, "AXFR", id=asked.id))
    soa = "ns1.example.com. hostmaster.example.com. 1 3600 600 86400 60"
    for type_, value in (("SOA", soa), ("A", "192.0.2.66"), ("SOA", soa)):
        answer.answer.append(dns.rrset.from_text("example.com.", 60, "IN", type_, value))
    wire = answer.to_wire()
    return len(wire).to_bytes(2) + wire


def test_only_a_signed_transfer_counts() -> None:
    with answered(unsigned_copy) as provider, pytest.raises(Unavailable, match="cannot be used"):
        read_all(provider)


def test_a_transfer_that_never_ends_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "TRANSFER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as door, pytest.raises(Unavailable, match="cannot be reached"):
        read_all(Rfc2136({**VALUES, "port": str(door.getsockname()[1])}))


@pytest.mark.parametrize("values", [{"key_secret": "é"}, {"key_secret": "abc"}, {"key_name": "a" * 70}])
def test_a_key_that_is_none_is_said_to_be_one(values: dict[str, str]) -> None:
    with pytest.raises(InvalidCredential, match="malformed"):
        Rfc2136({**VALUES, **values}).zone_named("example.com")


class Recorded(Rfc2136):
    """At a server that holds the text in two strings; `sent` are the updates."""

    def _send(self, question: dns.message.Message, permission: str) -> dns.message.Message:
        if isinstance(question, dns.update.UpdateMessage):
            self.sent = question.to_text()
            return question
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.AA
        there = dns.rrset.from_text(f"{NAME}.", 60, "IN", "TXT", r'"two " "strings \233"')
        answer.find_rrset(answer.answer, there.name, there.rdclass, there.rdtype, create=True).update(there)  # type: ignore[no-untyped-call]
        return answer


def test_a_text_is_taken_away_as_it_stands_there() -> None:
    """A server passes over the removal of a text that is cut into other strings."""
    provider, zone = Recorded(VALUES), Zone("example.com", "example.com")
    (record,) = provider.records(zone, NAME, "TXT")
    assert record.value == "two strings \udce9"
    provider.take_value(zone, NAME, "TXT", record.value)
    assert r'"two " "strings \233"' in provider.sent
