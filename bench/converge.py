"""A convergence of provisioned servers that changes nothing, connecting included: one alone, and twenty at once."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from bench.install import install
from bench.report import Report, WrongAnswer, run_part

if TYPE_CHECKING:
    from servers.models import Server


def measure(report: Report, quick: bool) -> None:
    count, rounds = (2, 2) if quick else (20, 7)
    report.about = {"servers": count, "rounds": rounds, "files of each": 0}
    with install():
        from bench.lab import provisioned
        from deploynix.supervisor.programs import SLOW_THREADS
        from servers import managed
        from tests import factories

        with provisioned(factories.organization(), count) as (_, servers):
            report.about["files of each"] = len(list(managed.collect(servers[0])))
            # As a worker runs them: a thread each.
            with ThreadPoolExecutor(SLOW_THREADS) as threads:
                timed(threads, servers)
                one, all_of_them = [], []
                for number in range(rounds):
                    one.append(timed(threads, [servers[number % count]]))
                    all_of_them.append(timed(threads, servers))
    report.add("one server", statistics.median(one), "s", "at most", 0.3)
    report.add(f"{count} servers at once", statistics.median(all_of_them), "s", "at most", 2)


def timed(threads: ThreadPoolExecutor, servers: list["Server"]) -> float:
    """Seconds until the last has answered."""
    from servers import ssh
    from servers.target import target_of

    for server in servers:
        ssh.close_connections(target_of(server))
    started = time.perf_counter()
    list(threads.map(converge_one, servers))
    return time.perf_counter() - started


def converge_one(server: "Server") -> None:
    from servers import managed
    from servers.converge import converge
    from servers.target import target_of

    outcome = converge(target_of(server), managed.collect(server))
    if outcome.changed or outcome.reloaded:
        raise WrongAnswer(f"{server} was changed: {outcome}")


if __name__ == "__main__":
    run_part(measure)
