"""The page that lists servers, fifty rows of it, as the browser of somebody who is signed in gets it."""

import re
import statistics
from collections.abc import Iterator
from itertools import repeat

from bench.install import install
from bench.load import Exchange, drive, fetch, get
from bench.report import Report, WrongAnswer, run_part
from bench.web import Web, own_core

PATH = "/servers"
SERVERS = 10_000
ROWS = 50


def measure(report: Report, quick: bool) -> None:
    rounds, requests = (2, 20) if quick else (9, 100)
    report.about = {"servers": SERVERS, "rows": ROWS, "rounds": rounds, "requests a round": requests, "connections": 1}
    own_core()
    with install():
        from deploynix.supervisor.startup import prepare

        prepare()
        cookie = signed_in()
        with Web("bench.fifty_rows", "deploynix.settings") as web:
            page = get(PATH, Cookie=cookie)
            check(fetch(web.port, page))
            exchanges: Iterator[Exchange] = repeat(Exchange(page))
            drive(web.port, exchanges, requests, 1)
            timings = [drive(web.port, exchanges, requests, 1) for _ in range(rounds)]
            check(fetch(web.port, page))
    report.add("p50", statistics.median(timing.median for timing in timings) * 1e3, "ms", "at most", 25)
    report.add("p99", statistics.median(timing.p99 for timing in timings) * 1e3, "ms")


def signed_in() -> str:
    """The cookie of the owner of an organization with many servers."""
    from django.conf import settings

    from bench.rows import add_servers, settle
    from organizations.models import Role
    from tests import factories

    organization = factories.organization()
    add_servers(organization, SERVERS, "S")
    settle()
    client = factories.signed_in(factories.actor(organization, Role.OWNER))
    name = settings.SESSION_COOKIE_NAME
    return f"{name}={client.cookies[name].value}"


def check(page: bytes) -> None:
    rows = len(set(re.findall(rb'href="/servers/(S\d+)"', page)))
    if rows != ROWS:
        raise WrongAnswer(f"the page has {rows} servers")


if __name__ == "__main__":
    run_part(measure)
