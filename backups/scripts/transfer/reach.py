"""Requests to the store: directly, or over the worker where this machine does not get there."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from typing import Any, NamedTuple

from buffers import Buffer
from talk import Answers, Failed, say

CONNECT_SECONDS = 10.0
# Without a byte in either direction.
IDLE_SECONDS = 60.0
# Python's timeout is for all that it encrypts at once, however much of it gets on its way meanwhile.
SLICE = 256 * 1024
LARGEST_ERROR = 64 * 1024
# What a store says when it may work a little later. https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
RETRIED_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
RETRIED_CODE = frozenset({"RequestTimeout", "BadDigest", "IncompleteBody", "SlowDown", "InternalError"})


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def code(self) -> str:
        """What S3 calls its errors, in XML; empty without."""
        found = re.search(rb"<Code>([A-Za-z0-9.]{1,64})</Code>", self.body)
        return found[1].decode() if found else ""

    @property
    def is_passing(self) -> bool:
        return self.status in RETRIED_STATUS or self.code in RETRIED_CODE

    def __str__(self) -> str:
        return f"{self.status} {self.code}".rstrip()


class Way:
    """To a store `{"host", "port", "tls", "authorities"}`. `test` finds out which."""

    def __init__(self, store: dict[str, Any], answers: Answers) -> None:
        self.host, self.port, self.has_tls = store["host"], store["port"], store["tls"]
        self.is_direct = True
        self._answers = answers
        self._context = ssl.create_default_context() if self.has_tls else None
        if self._context and store["authorities"]:
            self._context.load_verify_locations(cadata=store["authorities"])

    def test(self) -> None:
        try:
            socket.create_connection((self.host, self.port), CONNECT_SECONDS).close()
        except OSError as error:
            self.is_direct = False
            say(unreachable=str(error))

    def connect(self) -> http.client.HTTPConnection:
        """Raises OSError, and Failed where the store is not who it should be."""
        address = (self.host, self.port) if self.is_direct else ("127.0.0.1", self._answers.port())
        plain = socket.create_connection(address, CONNECT_SECONDS)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.settimeout(IDLE_SECONDS)
        connection = http.client.HTTPConnection(self.host, self.port)
        # It shall never make one of its own, which would lead elsewhere.
        connection.auto_open = 0
        connection.sock = self._secured(plain, self._context) if self._context else plain
        return connection

    def _secured(self, plain: socket.socket, context: ssl.SSLContext) -> ssl.SSLSocket:
        try:
            return context.wrap_socket(plain, server_hostname=self.host)
        except ssl.SSLCertVerificationError as error:
            message = f"The server does not believe the certificate of the store: {error.verify_message}."
            hint = (
                "Install or update ca-certificates on the server. For an authority of your own, see OUTBOUND_CA_BUNDLE."
            )
            raise Failed(self._answers.stage, message, hint) from error


class Client:
    """One kept connection, made again where it broke. Each thread has its own."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._connection: http.client.HTTPConnection | None = None

    def put(self, url: str, buffer: Buffer, size: int, headers: dict[str, str]) -> Answer:
        """Sends the first `size` bytes of the buffer. Raises OSError and HTTPException."""
        host, target = split(url)
        connection = self._connection or self._way.connect()
        self._connection, is_whole = None, True
        try:
            try:
                connection.request("PUT", target, headers={"Host": host, "Content-Length": str(size), **headers})
                self._send(connection.sock, buffer, size)
            except (BrokenPipeError, ConnectionResetError):
                # A store that refuses may say so, and hang up, before it has read everything.
                is_whole = False
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read(LARGEST_ERROR))
        except BaseException:
            connection.close()
            raise
        if is_whole and response.isclosed() and not response.will_close:
            self._connection = connection
        else:
            connection.close()
        return answer

    def _send(self, connection: socket.socket, buffer: Buffer, size: int) -> None:
        if self._way.has_tls:
            for start in range(0, size, SLICE):
                connection.sendall(buffer.view[start : min(start + SLICE, size)])
        else:
            connection.sendfile(buffer.file, 0, size)


def split(url: str) -> tuple[str, str]:
    """The host, with a port where one is given, and what is asked of it."""
    host, slash, target = url.partition("://")[2].partition("/")
    return host, slash + target
