"""What a provider's answers do to us: slow, huge, broken, redirecting, busy."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pytest_django import Settings

from deploynix import http
from deploynix.guard import RefusedAddress
from deploynix.http import Client, Unreachable

pytestmark = pytest.mark.lab


class Handler(BaseHTTPRequestHandler):
    """`asked` counts the requests of each path."""

    protocol_version = "HTTP/1.1"
    asked: dict[str, int] = {}

    def do_GET(self) -> None:
        self.asked[self.path] = self.asked.get(self.path, 0) + 1
        getattr(self, f"answer_{self.path.strip('/')}")()

    do_POST = do_GET  # noqa: N815 -- the name that the server looks for

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def plain(self, status: int, body: bytes = b"{}", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer_fine(self) -> None:
        self.plain(200, b'{"name": "web-1"}')

    def answer_moved(self) -> None:
        self.plain(302, Location="http://169.254.169.254/latest/meta-data")

    def answer_busy(self) -> None:
        self.plain(429 if self.asked[self.path] < 3 else 200, Retry_After="0")

    def answer_broken(self) -> None:
        self.plain(503)

    def answer_later(self) -> None:
        self.plain(429, Retry_After="3600")

    def answer_huge(self) -> None:
        self.plain(200, b"x" * 20_000)

    def answer_slow(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        try:
            for _ in range(200):
                self.wfile.write(b"x" * 70_000)
                time.sleep(0.05)
        except OSError:
            self.close_connection = True

    def answer_gone(self) -> None:
        self.close_connection = True


@pytest.fixture
def url(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]
    monkeypatch.setattr(http, "FIRST_PAUSE", 0.0)
    Handler.asked = {}
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_answer_is_read(url: str) -> None:
    answer = Client({"X-Any": "1"}).send("GET", f"{url}/fine")
    assert (answer.status, answer.is_ok, answer.json()) == (200, True, {"name": "web-1"})


def test_a_redirect_is_an_answer(url: str) -> None:
    answer = Client().send("GET", f"{url}/moved")
    assert (answer.status, answer.headers["Location"]) == (302, "http://169.254.169.254/latest/meta-data")


def test_who_is_busy_is_asked_again(url: str) -> None:
    assert Client().send("POST", f"{url}/busy").status == 200
    assert Handler.asked["/busy"] == 3


def test_what_failed_on_their_side_is_asked_again_only_where_that_changes_nothing(url: str) -> None:
    assert Client().send("POST", f"{url}/broken").status == 503
    assert Handler.asked["/broken"] == 1
    assert Client().send("GET", f"{url}/broken").status == 503
    assert Handler.asked["/broken"] == 1 + http.ATTEMPTS


def test_a_pause_that_is_too_long_is_left_to_the_caller(url: str) -> None:
    answer = Client().send("GET", f"{url}/later")
    assert (answer.status, answer.retry_after) == (429, 3600)
    assert Handler.asked["/later"] == 1


def test_a_huge_body_is_not_read_to_its_end(url: str) -> None:
    with pytest.raises(Unreachable, match="answered more than 9 KiB"):
        Client(largest=10_000).send("GET", f"{url}/huge")


def test_a_body_that_trickles_in_has_an_end(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "TOTAL_SECONDS", 0.0)
    with pytest.raises(Unreachable, match="took longer") as failure:
        Client().send("POST", f"{url}/slow")
    assert failure.value.retryable


def test_a_connection_that_ends_is_no_answer(url: str) -> None:
    with pytest.raises(Unreachable, match="cannot be reached"):
        Client().send("GET", f"{url}/gone?secret=s3cret")
    with pytest.raises(Unreachable) as failure:
        Client().send("POST", f"{url}/gone?secret=s3cret")
    assert "s3cret" not in f"{failure.value.message}{failure.value.hint}"


def test_our_own_network_is_not_reached(url: str, settings: Settings) -> None:
    settings.OUTBOUND_ALLOW = []
    for _ in range(2):
        with pytest.raises(RefusedAddress):
            Client().send("GET", f"{url}/fine")
    assert Handler.asked == {}


def test_a_proxy_of_the_environment_is_not_used(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert Client().send("GET", f"{url}/fine").is_ok
