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


@pytest.mark.soak
@settings(max_examples=share(2))
@given(tail=st.binary(max_size=80), kept=st.integers(0, 40))
def test_any_bytes_are_an_error_of_the_tree(tail: bytes, kept: int) -> None:
    def reply(question: bytes) -> bytes:
        # Its first bytes make it an answer to the question.
        body = question[:2] + b"\x84" + question[3:kept] + tail
        return len(body).to_bytes(2) + body

    with answered(reply) as provider, pytest.raises(ProviderError) as failure:
        provider.zone_named("example.com")
    assert SECRET not in f"{failure.value} {failure.value.hint}"


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
