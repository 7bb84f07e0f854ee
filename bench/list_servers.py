"""The list of servers by API token, against Django REST framework's stock parts on the same rows."""

import itertools
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from bench.install import install
from bench.load import Exchange, Timing, drive, fetch, get
from bench.report import Report, WrongAnswer, run_part
from bench.statements import LOGGED, Statements
from bench.web import Web, own_core
from tests.peers import PostgreSQL, wait_until

PATH = "/api/v1/servers"
PER_PAGE = 15
# Each may ask 60 times a minute: so many that nobody reaches the limit.
PEOPLE = 2_000
CONNECTIONS = 4
# Fewer than a token may make in a minute.
COUNTED_REQUESTS = 50
WARMING_REQUESTS = 200
WRITTEN_SECONDS = 30
# What the thread that writes the uses of tokens asks.
OF_THE_WRITER = re.compile(r'last_used_at|FROM "tokens_token(day|caller|ability|network|failure)"')


@dataclass
class Size:
    tokens: int
    servers: int
    rounds: int
    requests: int
    # Of one organization each.
    lists: tuple[int, ...]


FULL = Size(1_000_000, 10_000, 15, 600, (1_000, 10_000, 100_000, 1_000_000))
QUICK = Size(10_000, 1_000, 2, 100, (1_000, 20_000))


@dataclass
class Side:
    """One of those that are compared."""

    name: str
    web: Web
    exchanges: Iterator[Exchange]
    timings: list[Timing] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def run(self, requests: int) -> None:
        before = self.web.cpu_seconds
        self.timings.append(drive(self.web.port, self.exchanges, requests, CONNECTIONS))
        self.cpu.append((self.web.cpu_seconds - before) / requests)

    @property
    def per_second(self) -> list[float]:
        return [timing.per_second for timing in self.timings]

    @property
    def p99(self) -> float:
        return statistics.median(timing.p99 for timing in self.timings)


def measure(report: Report, quick: bool) -> None:
    size = QUICK if quick else FULL
    own_core()
    report.about = {
        "tokens": size.tokens,
        "servers, all of one organization": size.servers,
        "tokens in use": PEOPLE,
        "connections": CONNECTIONS,
        "rounds": size.rounds,
        "requests a round": size.requests,
    }
    with install() as database:
        tokens, unused, keys, newest = fill(size)
        with Web("deploynix.wsgi", "deploynix.settings") as product:
            with Web("bench.drf.wsgi", "bench.drf.settings") as drf:
                check(fetch(product.port, requests(PATH, "Bearer", tokens)[0]), "data", newest)
                check(fetch(drf.port, requests("/servers", "Token", keys)[0]), "results", newest)
                sides = [
                    Side("Deploynix", product, exchanges(product, requests(PATH, "Bearer", tokens))),
                    Side("DRF", drf, exchanges(drf, requests("/servers", "Token", keys))),
                    Side("DRF with its throttle", drf, exchanges(drf, requests("/throttled/servers", "Token", keys))),
                ]
                race(sides, size)
                compare(report, *sides)
            count_statements(report, database, unused)
            lengths(report, product, size)


def fill(size: Size) -> tuple[list[str], list[str], list[str], list[str]]:
    """Makes the rows. Returns the tokens in use, some more, the framework's own of the same people as the first, and
    the ids of the first page."""
    from bench.rows import add_crowd, add_people, add_servers, add_stock_tokens, settle
    from servers.models import Server
    from tests import factories

    make_stock_tables()
    organization = factories.organization()
    add_servers(organization, size.servers, "B")
    tokens = add_people(organization, PEOPLE)
    unused = add_people(organization, WARMING_REQUESTS)
    add_crowd(organization, size.tokens - PEOPLE - WARMING_REQUESTS)
    keys = add_stock_tokens(tokens)
    settle()
    return tokens, unused, keys, list(Server.objects.order_by("-id").values_list("id", flat=True)[:PER_PAGE])


def make_stock_tables() -> None:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "bench.drf.settings"}
    command = [sys.executable, "-m", "django", "migrate", "authtoken", "--verbosity", "0"]
    subprocess.run(command, env=environment, check=True)


def requests(path: str, scheme: str, tokens: list[str]) -> list[bytes]:
    return [get(path, Authorization=f"{scheme} {token}") for token in tokens]


def exchanges(web: Web, requests: list[bytes]) -> Iterator[Exchange]:
    """The requests over and over: all of them have one answer."""
    body = fetch(web.port, requests[0])
    return itertools.cycle([Exchange(request, body) for request in requests])


def check(body: bytes, name: str, ids: list[str]) -> None:
    rows: list[dict[str, Any]] = orjson.loads(body)[name]
    if [row["id"] for row in rows] != ids:
        raise WrongAnswer(f"the list does not begin with the newest servers: {body[:500]!r}")


def race(sides: list[Side], size: Size) -> None:
    for side in sides:
        drive(side.web.port, side.exchanges, size.requests // 2, CONNECTIONS)
    for number in range(size.rounds):
        turn = number % len(sides)
        for side in sides[turn:] + sides[:turn]:
            side.run(size.requests)


def compare(report: Report, own: Side, drf: Side, throttled: Side) -> None:
    for side in (own, drf, throttled):
        report.add(f"{side.name}: requests a second", statistics.median(side.per_second), "1/s")
        report.add(f"{side.name}: CPU of a request", statistics.median(side.cpu) * 1e3, "ms")
        report.add(f"{side.name}: p50", statistics.median(timing.median for timing in side.timings) * 1e3, "ms")
    report.add("DRF: p99", drf.p99 * 1e3, "ms")
    report.add("Deploynix: p99", own.p99 * 1e3, "ms", "at most", drf.p99 * 1e3)
    more = statistics.median(mine / theirs for mine, theirs in zip(own.per_second, drf.per_second, strict=True))
    report.add("requests a second, against DRF", more, "times", "at least", 2.5)
    less = statistics.median(mine / theirs for mine, theirs in zip(own.cpu, throttled.cpu, strict=True))
    report.add("CPU of a request, against DRF with its throttle", less, "times", "at most", 0.35)


def count_statements(report: Report, database: PostgreSQL, tokens: list[str]) -> None:
    with Web("deploynix.wsgi", "deploynix.settings", DATABASE_URL=f"{database.url}{LOGGED}") as web:
        statements = Statements(database)
        # Each of its threads makes its connection; and the uses of these tokens are written before others count.
        others = tokens[1:]
        drive(web.port, exchanges(web, requests(PATH, "Bearer", others)), WARMING_REQUESTS, 16)
        wait_until(lambda: writes(statements) >= len(others), WRITTEN_SECONDS, "writing the uses of tokens")
        statements.forget()
        drive(web.port, exchanges(web, requests(PATH, "Bearer", tokens[:1])), COUNTED_REQUESTS, CONNECTIONS)
        wait_until(lambda: writes(statements) > 0, WRITTEN_SECONDS, "writing the use of a token")
        seen = statements.seen()
    # The thread that writes uses asks, too, on a connection that it makes. And one more GET learned the answer.
    reads = [text for text in seen if text.startswith("SELECT") and " FROM " in text and not OF_THE_WRITER.search(text)]
    report.add("queries of a GET", len(reads) / (COUNTED_REQUESTS + 1), "", "at most", 2)
    report.add(f"writes of the token after {COUNTED_REQUESTS} GETs with it", writes(statements), "", "at most", 1)


def writes(statements: Statements) -> int:
    """Of tokens themselves; what else is written about their use goes along in the same transaction."""
    return sum(text.startswith('UPDATE "tokens_token"') for text in statements.seen())


def lengths(report: Report, web: Web, size: Size) -> None:
    """The first and the last page of lists of very different lengths."""
    pages = {(count, name): page for count in size.lists for name, page in list_of(web, count).items()}
    times: dict[tuple[int, str], list[float]] = {key: [] for key in pages}
    for _ in range(size.rounds):
        for key, page in pages.items():
            times[key].append(drive(web.port, page, 10, 1).median)
    medians = {key: statistics.median(found) for key, found in times.items()}
    for (count, name), seconds in medians.items():
        report.add(f"{name} page of {count} servers", seconds * 1e3, "ms")
    shortest = medians[size.lists[0], "first"]
    slowest = max(medians[count, "first"] for count in size.lists)
    report.add("first page of any list, against that of the shortest", slowest / shortest, "times", "at most", 1.5)
    worst = max(medians[count, "last"] / medians[count, "first"] for count in size.lists)
    report.add("last page against the first, at worst", worst, "times", "at most", 2)


def list_of(web: Web, count: int) -> dict[str, Iterator[Exchange]]:
    """An organization with so many servers: how to ask for the first and for the last page of its list."""
    from bench.rows import add_people, add_servers, settle
    from tests import factories

    organization = factories.organization()
    # The shortest list has the oldest servers: those of all others lie in its way.
    add_servers(organization, count, f"C{len(str(count))}")
    tokens = add_people(organization, 100)
    settle()
    last = -(-count // PER_PAGE)
    paths = {"first": PATH, "last": f"{PATH}?page={last}"}
    for path in paths.values():
        meta = orjson.loads(fetch(web.port, requests(path, "Bearer", tokens)[0]))["meta"]
        if (meta["total"], meta["last_page"]) != (count, last):
            raise WrongAnswer(f"{path} of {count} servers says {meta}")
    return {name: exchanges(web, requests(path, "Bearer", tokens)) for name, path in paths.items()}


if __name__ == "__main__":
    run_part(measure)
