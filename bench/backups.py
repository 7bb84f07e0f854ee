"""A backup on its way from a server to a store, against other programs that are fed by the same pipe."""

import itertools
import json
import re
import shutil
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.install import install
from bench.report import Report, WrongAnswer, run_part
from bench.rivals import FOLDER, RIVALS, Account, Rival, copy
from tools.targethost import Host, LabError

if TYPE_CHECKING:
    from deploynix.actor import Actor
    from providers.models import Credential
    from sites.models import Site

MIB, GIB = 1024**2, 1024**3
OURS = "Deploynix"
ROUNDS = 5
DUMPLIKE = Path(__file__).parent / "dumplike"
SUMMARY = re.compile(r"Sent ([\d.]+) MiB in ([\d.]+) s, .* with ([\d.]+) s of CPU and (\d+) MiB of memory")
# Put behind what a site's backup is made with.
INSTEAD = """

def dump(values):
    return Program("dump", "generate", ["/usr/bin/python3", "{folder}/generate.py", "{size}"])


def facts(values):
    return {{"size": {size}}}
"""


class Sent(NamedTuple):
    """One upload. `control` is the CPU that Deploynix itself took, in seconds; `memory` is in bytes."""

    size: int
    seconds: float
    cpu: float
    memory: float
    control: float = 0.0


def measure(report: Report, quick: bool) -> None:
    size, rounds = (64 * MIB, 1) if quick else (GIB, ROUNDS)
    with install():
        from bench.lab import provisioned
        from organizations.models import Role
        from tests import factories

        actor = factories.actor(factories.organization(), Role.OWNER)
        with provisioned(actor.organization, 1) as (lab, [server]), Bench(lab.gateway) as bench:
            host = lab.hosts()[0]
            copy(host, DUMPLIKE, FOLDER)
            rivals, missing = installed(host)
            report.about = {"bytes": size, "rounds": rounds, "rivals": [each.name for each in rivals]} | missing
            runs: dict[str, list[Sent]] = defaultdict(list)
            for _ in range(rounds):
                runs[OURS].append(bench.ours(actor, server, size))
                for rival in rivals:
                    runs[rival.name].append(bench.theirs(host, rival, size))
            small = bench.ours(actor, server, min(size, 100 * MIB))
    tell(report, runs, small)


def installed(host: Host) -> tuple[list[Rival], dict[str, str]]:
    """Those that can be measured, and why the others cannot."""
    found, missing = [], {}
    for rival in RIVALS:
        try:
            rival.install(host)
            found.append(rival)
        except LabError as error:
            missing[f"{rival.name} is missing"] = str(error)
    return found, missing


def tell(report: Report, runs: dict[str, list[Sent]], small: Sent) -> None:
    speeds = {name: statistics.median(sent.size / sent.seconds / 1e6 for sent in each) for name, each in runs.items()}
    fastest = max((speed for name, speed in speeds.items() if name != OURS), default=0.0)
    for name, each in runs.items():
        report.add(f"{name}, speed", speeds[name], "MB/s")
        cpu = f"{name}, CPU of the sender", per_gib(each, "cpu"), "s/GiB"
        if name == OURS:
            report.add(*cpu, "at most", 2.5)
        else:
            report.add(*cpu)
        report.add(f"{name}, memory", statistics.median(sent.memory for sent in each) / MIB, "MiB")
    if fastest:
        report.add(f"{OURS} against the fastest", speeds[OURS] / fastest, "times", "at least", 1.0)
    report.add("CPU of Deploynix itself", per_gib(runs[OURS], "control"), "s/GiB", "at most", 0.5)
    grown = statistics.median(sent.memory for sent in runs[OURS]) - small.memory
    report.add("memory more than for 100 MiB", grown / MIB, "MiB", "at most", 4)


def per_gib(each: list[Sent], name: str) -> float:
    values: list[float] = [getattr(sent, name) * GIB / sent.size for sent in each]
    return statistics.median(values)


class Bench:
    """A store at this address, and ways to fill it."""

    def __init__(self, address: str) -> None:
        from tests.lab.seaweedfs import BUCKET, SeaweedFs, secret

        self._store = SeaweedFs(address)
        self._account = Account(self._store.url, BUCKET, "writer", secret("writer"))
        self._numbers = itertools.count(1)

    def __enter__(self) -> "Bench":
        from django.conf import settings

        from tests.lab.stores import client_of

        settings.OUTBOUND_ALLOW = ["10.89.0.0/16"]
        self._store.__enter__()
        self._client = client_of(self._store.url)
        self._client.create_bucket(Bucket=self._account.bucket)
        return self

    def __exit__(self, *given: Any) -> None:
        self._store.__exit__(*given)

    def theirs(self, host: Host, rival: Rival, size: int) -> Sent:
        name = f"rival-{next(self._numbers)}"
        environment = [f"{key}={value}" for key, value in rival.environment(self._account).items()]
        command = ["env", *environment, "/usr/bin/python3", f"{FOLDER}/feed.py", str(size)]
        done = host.run(*command, *rival.command(self._account, name), timeout=600)
        result = json.loads(done.stdout)
        if result["status"]:
            raise WrongAnswer(f"{rival.name} ended with {result['status']}: {done.stderr[-1000:]}")
        return Sent(self._taken(name), result["seconds"], result["cpu"], result["memory"])

    def ours(self, actor: "Actor", server: Any, size: int) -> Sent:
        """As a worker does it, without reading it back."""
        from backups.actions import make_backup
        from backups.kinds.making import MakeBackup
        from jobs.models import JobLog
        from jobs.runner import claim

        backup = make_backup(actor, site=self._site(server), credential=self._credential(actor))
        assert backup.job
        run, kind = claim(backup.job.pk), MakeBackup()
        assert run
        with dumplike(size):
            kind.prepare(run)
            control = time.process_time()
            kind.upload(run)
            began_at = time.monotonic()
            kind.publish(run)
            control = time.process_time() - control
            seconds = time.monotonic() - began_at
        run.end_log()
        found = SUMMARY.search("".join(JobLog.objects.filter(job=run.job).values_list("text", flat=True)))
        assert found
        return Sent(self._taken(backup.key), float(found[2]) + seconds, float(found[3]), int(found[4]) * MIB, control)

    def _taken(self, name: str) -> int:
        """The size of the object, which is deleted."""
        size: int = self._client.head_object(Bucket=self._account.bucket, Key=name)["ContentLength"]
        self._client.delete_object(Bucket=self._account.bucket, Key=name)
        return size

    def _credential(self, actor: "Actor") -> "Credential":
        from tests.lab.stores import credential

        return credential(actor.organization, self._store.url)

    def _site(self, server: Any) -> "Site":
        from django.utils import timezone

        from tests import factories

        return factories.site(server, installed_at=timezone.now())


@contextmanager
def dumplike(size: int) -> Iterator[None]:
    """Inside, what is sent of a site is the stream, with so many bytes that do not compress."""
    from backups import exchange

    real = exchange.TRANSFER
    with tempfile.TemporaryDirectory(prefix="deploynix-bench-") as folder:
        copied = Path(folder) / "transfer"
        shutil.copytree(real, copied, ignore=shutil.ignore_patterns("__pycache__"))
        with (copied / "files.py").open("a") as file:
            file.write(INSTEAD.format(folder=FOLDER, size=size))
        exchange.TRANSFER = copied
        try:
            yield
        finally:
            exchange.TRANSFER = real


if __name__ == "__main__":
    run_part(measure)
