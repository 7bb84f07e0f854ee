"""Verifying credentials through a worker as the supervisor starts it, at a vendor that takes 100 ms for each answer:
twenty at once against one alone."""

import os
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.farvendor.server import LATENCY_SECONDS, FarVendor, far_vendor
from bench.install import command_of, install
from bench.report import Report, WrongAnswer, run_part
from tests.peers import wait_until
from tools.ports import free_port
from tools.processes import running

if TYPE_CHECKING:
    from deploynix.actor import Actor
    from providers.models import Credential

SETTINGS = "bench.farvendor.settings"
CREDENTIALS = 20
END_SECONDS = 60


def measure(report: Report, quick: bool) -> None:
    rounds = 1 if quick else 5
    report.about = {"credentials": CREDENTIALS, "seconds an answer takes": LATENCY_SECONDS, "rounds": rounds}
    port = free_port()
    os.environ["FAR_VENDOR"] = f"http://127.0.0.1:{port}"
    with far_vendor(port) as vendor, install(SETTINGS):
        from organizations.models import Role
        from tests import factories

        actor = factories.actor(factories.organization(), Role.OWNER)
        credentials = [connect(actor, number) for number in range(CREDENTIALS)]
        with running(command_of("worker"), Path(os.environ["DATA"]) / "worker.log"):
            verify(actor, credentials)
            before = vendor.asked
            singles = [verify(actor, [credential]) for credential in credentials[: max(5, rounds)]]
            calls = (vendor.asked - before) / len(singles)
            together = [verify(actor, credentials) for _ in range(rounds)]
        check(vendor)
    slowest, at_once = max(singles), statistics.median(together)
    report.add("one alone, the slowest", slowest * 1e3, "ms")
    report.add("of it, the vendor's part", calls * LATENCY_SECONDS * 1e3, "ms")
    report.add("twenty at once, from the first queued to the last ended", at_once * 1e3, "ms")
    report.add("twenty at once against the slowest alone", at_once / slowest, "times", "at most", 1.5)


def connect(actor: "Actor", number: int) -> "Credential":
    from providers.actions import create_credential

    values = {"api_token": f"{number:040}"}
    return create_credential(actor, kind="dns", provider="cloudflare", name=f"Zone {number}", values=values)


def verify(actor: "Actor", credentials: list["Credential"]) -> float:
    """Seconds until all of them were verified."""
    from jobs.models import Job
    from providers.actions import verify_credential
    from providers.models import Credential

    called_at = time.time()
    jobs = [verify_credential(actor, credential=credential).pk for credential in credentials]
    wait_until(lambda: not Job.objects.open().filter(pk__in=jobs).exists(), END_SECONDS, "the jobs")
    found = set(Credential.objects.filter(pk__in=[row.pk for row in credentials]).values_list("status", flat=True))
    if found != {"ok"}:
        raise WrongAnswer(f"the credentials are {found}")
    ended = Job.objects.filter(pk__in=jobs).values_list("finished_at", flat=True)
    return max(each.timestamp() for each in ended if each) - called_at


def check(vendor: FarVendor) -> None:
    if vendor.rows:
        raise WrongAnswer(f"{len(vendor.rows)} probes were left behind")


if __name__ == "__main__":
    run_part(measure)
