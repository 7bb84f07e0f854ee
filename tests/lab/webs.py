"""Web processes on the test's own database, as several machines would run them, and clients who ask them at once."""

import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple

from tests.peers import wait_until
from tools.ports import free_port, listens
from tools.processes import running

START_SECONDS = 60


class Asked(NamedTuple):
    """A request, with when it began and ended, by the monotonic clock."""

    status: int
    began: float
    ended: float


@contextmanager
def web(folder: Path, environment: Mapping[str, str]) -> Iterator[int]:
    """The port of a gunicorn of one worker, configured as the product's own."""
    port = free_port()
    gunicorn = ["gunicorn", "--config", "python:deploynix.gunicorn", "--workers", "1", "--bind", f"127.0.0.1:{port}"]
    log = folder / f"web-{port}.log"
    with running([sys.executable, "-m", *gunicorn, "deploynix.wsgi"], log, environment) as process:
        wait_until(lambda: listens("127.0.0.1", port) or process.poll() is not None, START_SECONDS, "a web process")
        assert process.poll() is None, log.read_text(errors="replace")
        yield port


@contextmanager
def webs(count: int, folder: Path, environment: Mapping[str, str]) -> Iterator[list[int]]:
    with ExitStack() as stack:
        yield [stack.enter_context(web(folder, environment)) for _ in range(count)]


def ask(port: int, token: str, path: str = "/auth/test", method: str = "GET") -> Asked:
    began = time.monotonic()
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        answer.read()
    finally:
        connection.close()
    return Asked(answer.status, began, time.monotonic())


class Load:
    """Clients who ask the web processes in turn, each with one of the tokens, until the block is left.

    `ports` may change meanwhile: a request that begins afterwards goes to one of the new ones.
    """

    def __init__(self, ports: Sequence[int], tokens: Sequence[str], clients: int = 6) -> None:
        self.ports = list(ports)
        self.asked: list[tuple[int, Asked]] = []
        self.failures: list[Exception] = []
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask_on, args=(number, tokens[number % len(tokens)]))
            for number in range(clients)
        ]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask_on(self, turn: int, token: str) -> None:
        while not self._stop.is_set():
            ports = self.ports
            port, turn = ports[turn % len(ports)], turn + 1
            try:
                self.asked.append((port, ask(port, token)))
            except OSError as error:
                self.failures.append(error)

    def wait_for_more(self, count: int) -> None:
        """Until each of the present ports has answered so many more requests."""
        before, ports = len(self.asked), set(self.ports)

        def answered() -> bool:
            later = [port for port, _ in self.asked[before:]]
            return all(later.count(port) >= count for port in ports)

        wait_until(answered, 60, f"{count} more requests to each web process")
