"""What a provider's answers do to us: slow, huge, broken, redirecting, busy."""

import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pytest_django import Settings

from deploynix import guard, http
from deploynix.guard import RefusedAddress
from deploynix.http import Answer, Client, Unreachable

pytestmark = pytest.mark.lab


class Handler(BaseHTTPRequestHandler):
    """`asked` counts the requests of each path, `drops` what was sent drop by drop."""

    protocol_version = "HTTP/1.1"
    asked: dict[str, int] = {}
    drops = 0

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

    def answer_drop_by_drop(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.drip(b"x" * 1000)

    def answer_chunk_by_chunk(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.drip(*[b"1\r\nx\r\n"] * 1000)

    def answer_endless_head(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Any: ")
        self.drip(b"x" * 1000)

    def drip(self, *pieces: bytes) -> None:
        """A byte, or a piece, at a time, each of them well within the time of one reading."""
        try:
            for piece in pieces if len(pieces) > 1 else (bytes([byte]) for byte in pieces[0]):
                self.wfile.write(piece)
                type(self).drops += 1
                time.sleep(0.02)
        except OSError:
            self.close_connection = True

    def answer_gone(self) -> None:
        self.close_connection = True


@pytest.fixture
def url(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]
    monkeypatch.setattr(http, "FIRST_PAUSE", 0.0)
    Handler.asked, Handler.drops = {}, 0
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


def test_a_pause_may_be_given_as_a_date() -> None:
    def pause(text: str) -> float | None:
        return Answer(429, {"Retry-After": text}, b"").retry_after

    assert (pause("120"), pause(""), pause("soon"), pause(formatdate(time.time() - 60, usegmt=True))) == (
        120,
        None,
        None,
        0,
    )
    assert 3500 < (pause(formatdate(time.time() + 3600, usegmt=True)) or 0) <= 3600


def test_a_huge_body_is_not_read_to_its_end(url: str) -> None:
    with pytest.raises(Unreachable, match="answered more than 9 KiB"):
        Client(largest=10_000).send("GET", f"{url}/huge")


def test_a_body_that_trickles_in_has_an_end(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "TOTAL_SECONDS", 0.0)
    with pytest.raises(Unreachable, match="took longer") as failure:
        Client().send("POST", f"{url}/slow")
    assert failure.value.retryable


@pytest.mark.parametrize("path", ["drop_by_drop", "chunk_by_chunk", "endless_head"])
def test_what_comes_drop_by_drop_has_an_end(url: str, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """Each drop comes in time; what counts is all of them."""
    monkeypatch.setattr(http, "TOTAL_SECONDS", 0.3)
    monkeypatch.setattr(guard, "HEAD_SECONDS", 0.3)
    with pytest.raises(Unreachable, match=r"took longer|cannot be reached") as failure:
        Client().send("POST", f"{url}/{path}")
    assert failure.value.retryable
    assert Handler.drops < 500


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
