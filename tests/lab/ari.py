"""A stand-in for an authority that tells when to renew (RFC 9773): no real part that runs here does. It takes orders,
and says of each certificate what it was told to say. CAA records know it as ari.example."""

import json
import ssl
from base64 import urlsafe_b64decode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self

from tests.lab.authorities import identity


class Ari:
    """`window` is the answer to every question, `replaced` what orders said that they take the place of."""

    def __init__(self) -> None:
        self.window: dict[str, Any] = {}
        self.retry_after = 7200
        self.asked: list[str] = []
        self.replaced: list[str | None] = []
        self.bundle = identity() / "server.pem"
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.bundle, identity() / "server.key")
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.base = f"https://127.0.0.1:{self._server.server_address[1]}"
        self.url = f"{self.base}/directory"

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(ari: Ari) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == "/directory":
                names = ("newNonce", "newAccount", "newOrder", "revokeCert", "renewalInfo")
                meta = {"caaIdentities": ["ari.example"]}
                self._say(200, {name: f"{ari.base}/{name}" for name in names} | {"meta": meta})
            else:
                ari.asked.append(self.path.removeprefix("/renewalInfo/"))
                self._say(200, {"suggestedWindow": ari.window}, **{"Retry-After": str(ari.retry_after)})

        def do_HEAD(self) -> None:
            self._say(200, None)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            payload = json.loads(urlsafe_b64decode(body["payload"] + "=" * (-len(body["payload"]) % 4)))
            ari.replaced.append(payload.get("replaces"))
            if "replaces" in payload and len(ari.replaced) == 1:
                problem = {"type": "urn:ietf:params:acme:error:alreadyReplaced", "detail": "Replaced before."}
                return self._say(409, problem)
            order = {"status": "ready", "authorizations": [], "finalize": f"{ari.base}/finalize"}
            return self._say(201, payload | order, Location=f"{ari.base}/order")

        def _say(self, status: int, body: Any, **headers: str) -> None:
            data = b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Replay-Nonce", "bm9uY2U")
            self.send_header("Content-Length", str(len(data)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Quietly."""

    return Handler
