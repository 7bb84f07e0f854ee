"""A store that the lab's hosts reach, and a gate before it that can be told to misbehave."""

import http.client
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest

from organizations.models import Organization
from providers.models import Credential
from providers.storage.custom import Custom
from tests import factories
from tests.lab.authorities import identity
from tests.lab.seaweedfs import BUCKET, SeaweedFs, secret
from tools.targethost import Lab

PART = re.compile(r"partNumber=(\d+)")
# What is done with a part instead of passing it on: an answer by its status and code, or something else.
Deed = tuple[int, str] | str | None
# By its number, and how often it has come.
Rule = Callable[[int, int], Deed]


class Gate:
    """Passes requests on to the store, but for parts that its `rule` says something else of.

    A deed is an answer, or `drop`: the connection ends in the middle, `spoil`: a byte is changed on the way, `hold`:
    it waits until `opened` is set, `late`: it waits for 2.5 seconds.
    """

    def __init__(self, host: str, store: str) -> None:
        self.rule: Rule = lambda number, times: None
        self.opened = threading.Event()
        self.seen: Counter[int] = Counter()
        # The parts whose last answer was that they are stored, and has been passed on.
        self.stored: set[int] = set()
        self.store = store
        gate = self

        class Handler(_Handler):
            owner = gate

        self._server = ThreadingHTTPServer((host, 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://{host}:{self._server.server_port}"

    def __enter__(self) -> "Gate":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.opened.set()
        self._server.shutdown()
        self._server.server_close()

    def hold_from(self, number: int) -> None:
        """From this part on nothing arrives, until `opened` is set. What came earlier is forgotten."""
        self.opened.clear()
        self.seen.clear()
        self.stored.clear()
        self.rule = lambda part, times: "hold" if part >= number else None

    def holds_at(self, number: int) -> bool:
        """This part waits, and nothing of those before it is still on its way."""
        return self.seen[number] > 0 and self.stored >= set(range(1, number))

    def deed_for(self, number: int) -> Deed:
        self.seen[number] += 1
        return self.rule(number, self.seen[number])


class _Handler(BaseHTTPRequestHandler):
    owner: Gate
    protocol_version = "HTTP/1.1"

    def handle_one_request(self) -> None:
        with suppress(OSError):
            super().handle_one_request()

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        found = PART.search(self.path) if self.command == "PUT" else None
        number = int(found[1]) if found else 0
        deed = self.owner.deed_for(number) if number else None
        if deed == "hold":
            self.owner.opened.wait(120)
        elif deed == "drop":
            self.close_connection = True
            return
        elif deed == "late":
            time.sleep(2.5)
        elif deed == "spoil":
            body = bytes([body[0] ^ 1]) + body[1:]
        elif isinstance(deed, tuple):
            self._answer(deed[0], {}, f"<Error><Code>{deed[1]}</Code></Error>".encode())
            return
        if self._forward(body) == 200 and number:
            self.owner.stored.add(number)

    def _forward(self, body: bytes) -> int:
        """The status that the store answered with, and the client has."""
        connection = http.client.HTTPConnection(urlsplit(self.owner.store).netloc, timeout=60)
        try:
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            text = b"" if self.command == "HEAD" else answer.read()
            self._answer(answer.status, dict(answer.getheaders()), text)
            return answer.status
        except OSError:
            self._answer(503, {}, b"<Error><Code>ServiceUnavailable</Code></Error>")
            return 503
        finally:
            connection.close()

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        self.send_header("Content-Length", headers.get("Content-Length", str(len(body))))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Nothing."""


def credential(organization: Organization, url: str, key: str = "writer", bucket: str = BUCKET) -> Credential:
    """Of the store at this address, as a user would have connected it."""
    settings = {"access_key_id": key, "region": "us-east-1", "bucket": bucket, "endpoint": url, "path_style": "yes"}
    row = factories.storage(organization, settings=settings)
    row.seal({"secret_access_key": secret(key)})
    row.save()
    return row


def client_of(url: str) -> Any:
    """The client of who may do everything in the store."""
    values = {"access_key_id": "admin", "secret_access_key": secret("admin"), "region": "us-east-1"}
    return Custom({**values, "bucket": BUCKET, "endpoint": url, "path_style": "yes"}).client


def unfinished_uploads(url: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client_of(url).list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
    return found


@pytest.fixture(scope="session")
def seaweed(lab: Lab) -> Iterator[SeaweedFs]:
    with SeaweedFs(lab.gateway, identity(lab.gateway)) as server:
        yield server


@pytest.fixture
def store(seaweed: SeaweedFs, settings: Any) -> SeaweedFs:
    """The store, with its bucket, where nothing is under way; requests to the lab are allowed."""
    settings.OUTBOUND_ALLOW = ["10.89.0.0/16", "127.0.0.0/8"]
    client = client_of(seaweed.url)
    if BUCKET not in {row["Name"] for row in client.list_buckets()["Buckets"]}:
        client.create_bucket(Bucket=BUCKET)
    for found in unfinished_uploads(seaweed.url):
        client.abort_multipart_upload(Bucket=BUCKET, Key=found["Key"], UploadId=found["UploadId"])
    return seaweed


@pytest.fixture
def gate(lab: Lab, store: SeaweedFs) -> Iterator[Gate]:
    with Gate(lab.gateway, store.url) as gate:
        yield gate
