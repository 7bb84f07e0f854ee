"""Gates before what a job talks to, each of which can be told to keep one answer back: what was asked for is done then,
and whoever asked does not know."""

import http.client
import socket
import ssl
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from socketserver import StreamRequestHandler, TCPServer, ThreadingTCPServer
from threading import Event, Thread
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

import dns.message
import dns.tsigkeyring
import dns.update

from tests.lab.authorities import Authority, identity
from tests.lab.dns_servers import SECRETS, DnsServer
from tools.targethost import Host

SECONDS = 60
# Found before the real one by who does not give its path, as does what has a new configuration judged.
WATCHED_NGINX = """#!/bin/sh
if test -e /run/gate && grep -qrf /run/gate /etc/nginx/sites-enabled; then
    touch /run/gate-held
    while test -e /run/gate; do sleep 0.02; done
fi
exec /usr/sbin/nginx "$@"
"""


class Gate(Protocol):
    """Each knows words of its own for what it may be told to keep back."""

    def hold(self, what: str) -> None:
        """The next time only."""

    def is_holding(self) -> bool: ...

    def open(self) -> None: ...


class Answers:
    """Passes on what is asked at the port of its `server`, in threads, and the answers."""

    def __init__(self, server: TCPServer) -> None:
        self.server = server
        self.port = int(server.server_address[1])
        self._wanted = ""
        self._is_held, self._is_open = Event(), Event()

    def __enter__(self) -> Self:
        Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.open()
        self.server.shutdown()
        self.server.server_close()

    def hold(self, what: str) -> None:
        self._wanted = what

    def is_holding(self) -> bool:
        return self._is_held.is_set()

    def open(self) -> None:
        self._wanted = ""
        self._is_open.set()

    def answering(self, what: str) -> None:
        """Returns when the answer may go to whoever asked for this."""
        if self._wanted and what.startswith(self._wanted):
            self._wanted = ""
            self._is_held.set()
            self._is_open.wait(SECONDS)


class AuthorityGate(Answers):
    """`url` is the directory; `hold` takes the beginning of a path, of what the authority has agreed to."""

    def __init__(self, authority: Authority) -> None:
        gate = self

        class Handler(_HttpHandler):
            owner, upstream = gate, urlsplit(authority.url).netloc

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(identity() / "server.pem", identity() / "server.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        super().__init__(server)
        self.url = urlsplit(authority.url)._replace(netloc=f"127.0.0.1:{self.port}").geturl()


class _HttpHandler(BaseHTTPRequestHandler):
    owner: AuthorityGate
    upstream: str
    protocol_version = "HTTP/1.1"

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        trusted = ssl.create_default_context(cafile=identity() / "server.pem")
        connection = http.client.HTTPSConnection(self.upstream, timeout=SECONDS, context=trusted)
        try:
            connection.request(self.command, self.path, body, dict(self.headers))
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        if self.command == "POST" and response.status < 300:
            self.owner.answering(self.path)
        self._answer(response, text)

    def _answer(self, response: http.client.HTTPResponse, text: bytes) -> None:
        self.send_response_only(response.status)
        for name, value in response.getheaders():
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_HEAD = _pass  # noqa: N815

    def handle(self) -> None:
        # Whoever asked may have been killed.
        with suppress(OSError):
            super().handle()

    def log_message(self, *_: Any) -> None:
        """Quietly."""


class ZoneGate(Answers):
    """Of a name server that takes updates over TCP; `hold` takes `add` or `remove`."""

    def __init__(self, server: DnsServer) -> None:
        gate = self

        class Handler(_DnsHandler):
            owner, upstream = gate, (server.address, server.port)

        super().__init__(ThreadingTCPServer(("127.0.0.1", 0), Handler))


class _DnsHandler(StreamRequestHandler):
    owner: ZoneGate
    upstream: tuple[str, int]

    def handle(self) -> None:
        # As above.
        with suppress(OSError):
            while asked := framed(self.rfile):
                self._pass(asked)

    def _pass(self, asked: bytes) -> None:
        with socket.create_connection(self.upstream, SECONDS) as connection, connection.makefile("rb") as answers:
            connection.sendall(asked)
            answer = framed(answers)
        self.owner.answering(change_in(asked[2:]))
        self.wfile.write(answer)


class NginxGate:
    """Of a server whose configuration is being changed; `hold` takes words that a site's new one has. It is in its
    place, and nginx has not read it yet."""

    def __init__(self, host: Host) -> None:
        self._host = host
        host.run("sh", "-c", "cat >/usr/local/sbin/nginx; chmod 755 /usr/local/sbin/nginx", stdin=WATCHED_NGINX)

    def hold(self, what: str) -> None:
        self._host.run("sh", "-c", "rm -f /run/gate-held; cat >/run/gate", stdin=f"{what}\n")

    def is_holding(self) -> bool:
        return self._host.run("test", "-e", "/run/gate-held", check=False).returncode == 0

    def open(self) -> None:
        self._host.run("rm", "-f", "/run/gate")


def framed(stream: BufferedIOBase) -> bytes:
    """The next message, with its length before it (RFC 1035, section 4.2.2); empty at the end."""
    head = stream.read(2)
    return head + stream.read(int.from_bytes(head))


def change_in(wire: bytes) -> str:
    """What an update does; nothing for a question."""
    message = dns.message.from_wire(wire, keyring=dns.tsigkeyring.from_text(SECRETS))
    if not isinstance(message, dns.update.UpdateMessage):
        return ""
    return "remove" if any(rows.deleting is not None for rows in message.update) else "add"
