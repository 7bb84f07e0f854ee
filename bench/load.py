"""A client that costs little: kept-alive connections, each of which sends its next request when it has its answer."""

import selectors
import socket
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.report import WrongAnswer

HOST = "localhost"
END_OF_HEAD = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request, and the body that has to answer it; None takes any."""

    request: bytes
    body: bytes | None = None


@dataclass
class Timing:
    """How a number of exchanges went: seconds of each, and of all together."""

    seconds: list[float] = field(default_factory=list)
    elapsed: float = 0.0

    @property
    def per_second(self) -> float:
        return len(self.seconds) / self.elapsed

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def p99(self) -> float:
        return sorted(self.seconds)[int(len(self.seconds) * 0.99)]


def get(path: str, **headers: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Host: {HOST}", "Accept: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


class Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._sent_at = time.perf_counter()
        self.socket.sendall(exchange.request)

    def receive(self) -> tuple[bytes, float]:
        """The answer's body, and the seconds that it took. Raises WrongAnswer."""
        head, _, body = self._until_head().partition(END_OF_HEAD)
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        while len(body) < length:
            body += self._more()
        seconds = time.perf_counter() - self._sent_at
        if not head.startswith(b"HTTP/1.1 200 ") or self._exchange.body not in (None, body):
            raise WrongAnswer(f"{self._exchange.request!r}\n{head!r}\n{body[:500]!r}\nnot {self._exchange.body!r:.500}")
        return body, seconds

    def _until_head(self) -> bytes:
        received = self._more()
        while END_OF_HEAD not in received:
            received += self._more()
        return received

    def _more(self) -> bytes:
        received = self.socket.recv(262_144)
        if not received:
            raise WrongAnswer(f"the connection was closed instead of an answer to {self._exchange.request!r}")
        return received


def fetch(port: int, request: bytes) -> bytes:
    connection = Connection(port)
    connection.send(Exchange(request))
    body, _ = connection.receive()
    connection.socket.close()
    return body


def drive(port: int, exchanges: Iterator[Exchange], count: int, connections: int) -> Timing:
    """Sends the next `count` exchanges over so many connections, and checks every answer."""
    timing = Timing()
    with selectors.DefaultSelector() as selector:
        started = time.perf_counter()
        for _ in range(connections):
            connection = Connection(port)
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send(next(exchanges))
        left = count - connections
        while selector.get_map():
            for key, _ in selector.select():
                timing.seconds.append(key.data.receive()[1])
                if left > 0:
                    left -= 1
                    key.data.send(next(exchanges))
                else:
                    selector.unregister(key.fileobj)
                    key.data.socket.close()
        timing.elapsed = time.perf_counter() - started
    return timing
