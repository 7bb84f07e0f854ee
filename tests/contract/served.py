"""Vendors that stand in at addresses of this machine: for an install, which is another process."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any

from requests import Request

from providers.base import HttpProvider
from tests.contract.vendor import Vendor

# By their tokens, what the vendor's state is for each: {"denied": {"write"}}, for example.
Accounts = Mapping[str, Mapping[str, Any]]
Answer = tuple[int, Mapping[str, str], str]


class Service:
    """What the first of a fixture's vendors answers, at `url`, to those who have an account.

    The first of the fixture's VALUES is the token that the vendor itself knows. `complaints` are about requests that
    it would not have understood.
    """

    def __init__(self, provider: type[HttpProvider], fixture: ModuleType, state: Any, accounts: Accounts) -> None:
        self.name = f"{provider.kind}:{provider.key}"
        self.complaints: list[str] = []
        self._vendor: Vendor = fixture.vendors(state)[0]
        self._stands_for = provider.base_url
        self._known: str = next(iter(fixture.VALUES.values()))
        self._refusal: Answer = (401, {}, json.dumps(fixture.ERROR))
        self._state, self._accounts = state, accounts
        self._plain = {name: getattr(state, name) for account in accounts.values() for name in account}
        self._lock = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler_for(self))
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """As if the request had come to the vendor's own address, from the account that the vendor knows."""
        given = next((token for token in self._accounts if any(token in value for value in headers.values())), None)
        if given is None:
            return self._refusal
        signed = {name: value.replace(given, self._known) for name, value in headers.items()}
        request = Request(method, f"{self._stands_for}{path}", signed, data=body).prepare()
        with self._lock:
            vars(self._state).update({**self._plain, **self._accounts[given]})
            try:
                status, more, text = self._vendor.answer(request)
            except Exception as error:
                self.complaints.append(f"{self.name}: {error!r}")
                raise
        links = {name: value.replace(self._stands_for, self.url) for name, value in more.items()}
        return status, links, text.replace(self._stands_for, self.url)


def handler_for(service: Service) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, headers, text = service.answer(self.command, self.path, dict(self.headers), body)
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815  (the names that http.server looks for)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (its name in http.server)
            """A test has no use for a line per request."""

    return Handler


@contextmanager
def serving(*services: Service) -> Iterator[Mapping[str, str]]:
    """The settings of an install that meets these in the vendors' place. Fails in the end on every complaint."""
    with ExitStack() as stack:
        for service in services:
            server = stack.enter_context(service.server)
            threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
            stack.callback(server.shutdown)
        urls = ",".join(f"{service.name}={service.url}" for service in services)
        yield {"PROVIDER_URLS": urls, "OUTBOUND_ALLOW": "127.0.0.0/8"}
    complaints = [complaint for service in services for complaint in service.complaints]
    assert not complaints, "\n".join(complaints)
