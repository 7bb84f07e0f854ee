"""How parts get to a store, and what is heard of it, at a socket that does as a bad store would."""

import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import pytest

from tests.backups.programs import transfer
from tests.lab.authorities import identity

reach, buffers = transfer("reach"), transfer("buffers")
# More than sockets hold back.
SIZE = 32 * 1024 * 1024
OK = b"HTTP/1.1 200 OK\r\nETag: 1\r\nContent-Length: 0\r\n\r\n"
REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 34\r\n\r\n<Code>SignatureDoesNotMatch</Code>"


@pytest.fixture
def part() -> Iterator[Any]:
    buffer = buffers.Buffer(SIZE)
    buffer.view[:] = os.urandom(1024 * 1024) * 32
    yield buffer
    buffer.file.close()


@contextmanager
def store(serve: Callable[[socket.socket], None], *, tls: bool = False) -> Iterator[Any]:
    """A client of one whose connections are served like this."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(identity() / "server.pem", identity() / "server.key")
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            plain = server.accept()[0]
            with context.wrap_socket(plain, server_side=True) if tls else plain as connection:
                serve(connection)

        thread = Thread(target=accept)
        thread.start()
        authorities = (identity() / "server.pem").read_text() if tls else ""
        address = {"host": "127.0.0.1", "port": server.getsockname()[1], "tls": tls, "authorities": authorities}
        client = reach.Client(reach.Way(address, answers=None))
        yield client
        if client._connection:
            client._connection.close()
        thread.join()


def read_request(connection: socket.socket) -> bytes:
    """Its body."""
    with connection.makefile("rb") as stream:
        while stream.readline().strip():
            pass
        return stream.read(SIZE)


def test_a_part_arrives_as_it_is_on_a_connection_that_is_kept(part: Any) -> None:
    arrived = []

    def serve(connection: socket.socket) -> None:
        for _ in range(2):
            arrived.append(read_request(connection))
            connection.sendall(OK)

    with store(serve) as client:
        answers = [client.put("http://store/part", part, SIZE, {}) for _ in range(2)]
    assert arrived == [part.view, part.view]
    assert [answer.status for answer in answers] == [200, 200]


@pytest.mark.parametrize("tls", [False, True])
def test_a_slow_way_takes_its_time(part: Any, monkeypatch: pytest.MonkeyPatch, tls: bool) -> None:
    """Longer than nothing may come for, as something always does."""
    monkeypatch.setattr(reach, "IDLE_SECONDS", 0.7)
    arrived = bytearray()

    def serve(connection: socket.socket) -> None:
        with connection.makefile("rb") as stream:
            while stream.readline().strip():
                pass
            while len(arrived) < SIZE:
                arrived.extend(stream.read(256 * 1024))
                time.sleep(0.01)
        connection.sendall(OK)

    with store(serve, tls=tls) as client:
        assert client.put("https://store/part", part, SIZE, {}).status == 200
    assert arrived == part.view


def test_a_store_that_takes_no_more_is_given_up(part: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "IDLE_SECONDS", 0.5)
    is_over = Event()

    def serve(connection: socket.socket) -> None:
        is_over.wait()

    with store(serve) as client:
        with pytest.raises(TimeoutError, match="timed out"):
            client.put("http://store/part", part, SIZE, {})
        is_over.set()


def test_a_store_that_never_answers_is_given_up(part: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "IDLE_SECONDS", 0.5)
    is_over = Event()

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        is_over.wait()

    with store(serve) as client:
        with pytest.raises(TimeoutError, match="timed out"):
            client.put("http://store/part", part, SIZE, {})
        is_over.set()


def test_a_refusal_before_everything_was_read_is_heard(part: Any) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(1024)
        connection.sendall(REFUSED)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1024 * 1024):
            pass

    with store(serve) as client:
        answer = client.put("http://store/part", part, SIZE, {})
    assert str(answer) == "403 SignatureDoesNotMatch"
