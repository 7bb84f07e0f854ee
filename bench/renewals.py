"""Two hundred certificates that are due at once, renewed by two workers at an authority that takes 150 orders a minute.

Deploynix knows that limit and keeps to 80 % of it. Counted is what the authority itself has noted; of each renewal it
is the order that is made, nothing is installed. Beat wakes the renewals that had to wait, as it does in an install.
"""

import os
import re
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bench import limitedca
from bench.authority import authority
from bench.install import command_of, install
from bench.limitedca import MOST, SPAN
from bench.report import Report, WrongAnswer, run_part
from tests.peers import wait_until
from tools.processes import running

if TYPE_CHECKING:
    from deploynix.actor import Actor
    from tests.lab.authorities import Pebble
    from tests.lab.dns_servers import Bind

SETTINGS = "bench.limitedca.settings"
WORKERS = 2
ALL = 200
KEPT = MOST * 4 // 5
EARLIER = timedelta(days=60)
START_SECONDS, END_SECONDS = 60, 600
# Pebble's log has whole seconds.
ORDERED = re.compile(r"^Pebble (\S+ \S+) Added order ", re.MULTILINE)


def measure(report: Report, quick: bool) -> None:
    count = 10 if quick else ALL
    report.about = {"certificates": count, "workers": WORKERS, "orders a minute that the authority takes": MOST}
    with install():
        from django.utils import timezone

        from certificates.actions import renew_due_certificates
        from organizations.models import Role
        from tests import factories

        actor = factories.actor(factories.organization(), Role.OWNER)
        with authority() as (names, pebble), ExitStack() as stack:
            limitedca.declare(pebble.url)
            make_due(actor, names.bind, pebble, count)
            start_programs(stack, pebble)
            started = timezone.now()
            if renew_due_certificates() != count:
                raise WrongAnswer("not all that were due were queued")
            await_end()
            check(names.bind, count)
            sent, issued = moments_of("created_at", started), moments_of("issued_at", started)
            noted = noted_by(pebble)
    report.add(
        "orders in the first minute", sum(moment <= started + SPAN for moment in sent), "orders", "at most", KEPT
    )
    report.add("the most in any minute", most_in(SPAN, sent), "orders", "at most", KEPT)
    report.add("the most in any minute by the authority's clock", most_in(SPAN, noted), "orders", "at most", MOST)
    report.add("orders that the authority has noted, all told", len(noted), "orders", "at most", count)
    first = min(count, KEPT)
    report.add(f"from queueing to the first {first} issued", (issued[first - 1] - started).total_seconds(), "s")
    report.add(f"from queueing to all {count} issued", (issued[-1] - started).total_seconds(), "s")


def make_due(actor: "Actor", bind: "Bind", pebble: "Pebble", count: int) -> None:
    """So many certificates of sites of one server, whose time has come."""
    from django.utils import timezone

    from certificates.accounts import account_at
    from certificates.models import Challenge, Issuance
    from tests import factories
    from tests.lab.orders import dns_credential

    dns_credential(actor, bind)
    server, account = factories.server(actor.organization), account_at(actor.organization, pebble.url)
    now = timezone.now()
    for number in range(count):
        site = factories.site(server, domain=f"site{number}.example.test")
        factories.certificate(site, account=account, challenge=Challenge.DNS, renew_at=now)
    Issuance.objects.update(created_at=now - EARLIER, issued_at=now - EARLIER)


def start_programs(stack: ExitStack, pebble: "Pebble") -> None:
    """Two workers, and what wakes jobs that have waited: beat, and the worker that it asks."""
    from deploynix.celery import app

    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": SETTINGS, "LIMITED_CA": pebble.url}
    workers = {f"worker {number}": [*command_of("worker"), "--hostname", f"{number}@%h"] for number in range(WORKERS)}
    others = {name: command_of(name) for name in ("interactive worker", "beat")}
    for name, command in (workers | others).items():
        stack.enter_context(running(command, Path(os.environ["DATA"]) / f"{name}.log", environment))
    # Beat answers nobody.
    wait_until(
        lambda: len(app.control.ping(timeout=1) or ()) == len(workers) + 1, START_SECONDS, "starting the workers"
    )


def await_end() -> None:
    from jobs.models import Job

    wait_until(lambda: not Job.objects.open().exists(), END_SECONDS, "the renewals")


def check(bind: "Bind", count: int) -> None:
    """Each has been renewed, both workers had a part in it, and no proof is left."""
    from certificates.models import Certificate, IssuanceStatus
    from jobs.models import Job
    from tests.lab.dns_servers import Served

    renewed = Certificate.objects.filter(issuances__is_renewal=True, issuances__status=IssuanceStatus.ISSUED)
    if renewed.distinct().count() != count:
        failed = Job.objects.exclude(error="").first()
        raise WrongAnswer(f"{renewed.count()} of {count} were renewed; {failed and (failed.error, failed.hint)}")
    if (busy := Job.objects.values("worker").distinct().count()) != WORKERS:
        raise WrongAnswer(f"{busy} workers had a part in it")
    if Served(bind).found("example.test", type="TXT"):
        raise WrongAnswer("proofs were left in the zone")


def moments_of(name: str, started: datetime) -> list[datetime]:
    """Of the orders, sorted: `created_at`, by which Deploynix counts them before they are sent, or `issued_at`."""
    from certificates.models import Issuance

    return sorted(Issuance.objects.filter(**{f"{name}__gt": started}).values_list(name, flat=True))


def noted_by(pebble: "Pebble") -> list[datetime]:
    found = ORDERED.findall((pebble.folder / "log").read_text())
    return [datetime.strptime(moment, "%Y/%m/%d %H:%M:%S").astimezone() for moment in found]


def most_in(span: timedelta, moments: list[datetime]) -> int:
    """Of any such span that ends with one of them."""
    return max(sum(end - span < moment <= end for moment in moments) for end in moments)


if __name__ == "__main__":
    run_part(measure)
