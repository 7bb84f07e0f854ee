"""What it costs to find out who asks, by each kind of token, against two stock parts on the same people.

Each call is what a request pays before its view runs: reading the header, the query, every check of the token, and
noting its use. It is called in this process, so that neither HTTP nor a view is in the figure.
"""

import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.install import install
from bench.report import Report, WrongAnswer, run_part

if TYPE_CHECKING:
    from organizations.models import Organization

SETTINGS = "bench.tokens.settings"
ADDRESS = "203.0.113.7"
PASSPHRASE = "a passphrase of the bench"
PEOPLE = 200
# Tokens in the crowd, rounds, calls a round.
FULL, QUICK = (1_000_000, 15, 400), (5_000, 2, 50)
PLAIN = ("personal token", "API key of resources", "API key of duties", "access token", "access token with passphrase")
LIMITED = "API key with addresses, rate and resources"


@dataclass
class Side:
    """One kind of credential: how its requests are authenticated, and the median seconds of each round."""

    name: str
    authenticate: Callable[[Any], Any]
    requests: Iterator[Any]
    seconds: list[float] = field(default_factory=list)

    def run(self, calls: int) -> None:
        times = []
        for request in itertools.islice(self.requests, calls):
            started = time.perf_counter()
            self.authenticate(request)
            times.append(time.perf_counter() - started)
        self.seconds.append(statistics.median(times))

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def measure(report: Report, quick: bool) -> None:
    tokens, rounds, calls = QUICK if quick else FULL
    report.about = {"tokens": tokens, "people in use": PEOPLE, "rounds": rounds, "calls a round": calls}
    with install(SETTINGS):
        from bench.rows import add_crowd, settle
        from tests import factories

        organization = factories.organization()
        own, stock = sides_of(organization)
        settle()
        race([*own, *stock], rounds, calls)
        few = {side.name: side.median for side in own}
        add_crowd(organization, tokens)
        settle()
        for side in (*own, *stock):
            side.seconds.clear()
        race([*own, *stock], rounds, calls)
        compare(report, own, stock, few)
        refusals(report, organization, rounds, calls)


def sides_of(organization: "Organization") -> tuple[list[Side], list[Side]]:
    from knox.auth import TokenAuthentication as Knox
    from rest_framework.authentication import TokenAuthentication as Stock

    from bench.rows import add_people
    from bench.tokens.credentials import add_keys, add_knox_tokens, add_stock_keys

    personal = add_people(organization, PEOPLE)
    texts = {PLAIN[0]: personal} | add_keys(organization, PEOPLE, PLAIN[1:], LIMITED, PASSPHRASE, ADDRESS)
    own = [Side(name, own_authentication(name == LIMITED), asking("Bearer", found)) for name, found in texts.items()]
    stock = [
        Side("DRF TokenAuthentication", Stock().authenticate, asking("Token", add_stock_keys(organization))),
        Side("django-rest-knox", Knox().authenticate, asking("Token", add_knox_tokens(organization))),
    ]
    return own, stock


def own_authentication(is_counted: bool) -> Callable[[Any], Any]:
    from deploynix.api.rates import spend
    from tokens.authentication import TokenAuthentication

    authentication = TokenAuthentication()

    def authenticate(request: Any) -> None:
        _, actor = authentication.authenticate(request)
        authentication.admitted(request, actor, "server:read")
        # The stock parts count nothing either; where the limits are part of the figure, so is the counting.
        if is_counted and spend(actor) is None:
            raise WrongAnswer("a key with a rate was not counted")

    return authenticate


def asking(scheme: str, texts: list[str]) -> Iterator[Any]:
    from django.test import RequestFactory
    from django.urls import resolve

    requests = []
    for text in texts:
        request = RequestFactory(REMOTE_ADDR=ADDRESS).get(
            "/api/v1/servers", headers={"authorization": f"{scheme} {text}", "x-token-passphrase": PASSPHRASE}
        )
        request.resolver_match = resolve(request.path_info)
        requests.append(request)
    return itertools.cycle(requests)


def race(sides: list[Side], rounds: int, calls: int) -> None:
    for side in sides:
        # Once around: passphrases are proven, SQL is made, rows are read in.
        side.run(PEOPLE)
        side.seconds.clear()
    for number in range(rounds):
        turn = number % len(sides)
        for side in sides[turn:] + sides[:turn]:
            side.run(calls)


def compare(report: Report, own: list[Side], stock: list[Side], few: dict[str, float]) -> None:
    for side in (*own, *stock):
        report.add(side.name, side.median * 1e6, "µs")
    cheaper = min(stock, key=lambda side: side.median)
    for side in own:
        times = statistics.median(mine / other for mine, other in zip(side.seconds, cheaper.seconds, strict=True))
        allowed = 1.5 if side.name == LIMITED else 1.0
        report.add(f"{side.name}, against {cheaper.name}", times, "times", "at most", allowed)
    slower = max(side.median / few[side.name] for side in own)
    report.add(f"any kind with a crowd of tokens, against {PEOPLE} of each", slower, "times", "at most", 1.25)


def refusals(report: Report, organization: "Organization", rounds: int, calls: int) -> None:
    """A wrong secret and an unknown id."""
    from bench.tokens.credentials import unknown_ids, wrong_secrets
    from deploynix.errors import Unauthenticated
    from tokens.authentication import TokenAuthentication

    def refused(request: Any) -> None:
        try:
            TokenAuthentication().authenticate(request)
        except Unauthenticated:
            return
        raise WrongAnswer("a token that does not exist was let in")

    wrong = Side("wrong secret", refused, asking("Bearer", wrong_secrets(organization, PEOPLE)))
    unknown = Side("unknown id", refused, asking("Bearer", unknown_ids(PEOPLE)))
    race([wrong, unknown], rounds, calls // 4)
    for side in (wrong, unknown):
        report.add(side.name, side.median * 1e6, "µs")
    apart = abs(statistics.median(one - two for one, two in zip(wrong.seconds, unknown.seconds, strict=True)))
    # Less than what two equal calls differ by from round to round.
    noise = max(max(side.seconds) - min(side.seconds) for side in (wrong, unknown))
    report.add("by which the two differ", apart * 1e6, "µs", "at most", noise * 1e6)


if __name__ == "__main__":
    run_part(measure)
