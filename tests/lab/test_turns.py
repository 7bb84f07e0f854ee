"""Turns among several workers, one of which is killed; and writers to one zone, where the last one would win."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest
from django.db import connections

from deploynix.actor import Actor
from domains.zones import adapter_of, credential_for, writing
from jobs.actions import enqueue_job
from jobs.models import Job, Turn
from jobs.run import Run
from jobs.runner import claim
from providers.errors import Unavailable
from providers.models import Credential
from tests.lab.dns_servers import Served
from tests.lab.names import Names
from tests.lab.orders import dns_credential
from tests.lab.test_jobs import has_begun, has_ended, runner_of, trace
from tests.lab.toyapp import kinds  # noqa: F401
from tests.lab.workers import Workers
from tests.peers import wait_until

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]
NAME = "_acme-challenge.pdns.test"


def enqueue(actor: Actor, folder: Path) -> Job:
    params = {"folder": str(folder)}
    return enqueue_job(actor, kind="taking_turns", subject=actor.organization, label="Turns", lane="", params=params)


def test_turns_of_jobs_on_two_workers_never_overlap(owner: Actor, workers: Workers, tmp_path: Path) -> None:
    jobs = [enqueue(owner, tmp_path) for _ in range(12)]
    workers.start_worker()
    workers.start_worker()
    wait_until(partial(has_ended, *jobs), 60, "all jobs")
    events = [line[:3] for line in trace(tmp_path) if line[1] == "one"]
    assert len(events) == 24
    for begun, ended in zip(events[::2], events[1::2], strict=True):
        assert (begun[2], ended) == ("begin", [begun[0], begun[1], "end"])
    assert not Turn.objects.exists()


def test_the_turn_of_a_killed_worker_goes_to_the_next(owner: Actor, workers: Workers, tmp_path: Path) -> None:
    dead, alive = tmp_path / "dead", tmp_path / "alive"
    for folder in (dead, alive):
        folder.mkdir()
    (dead / "hold-one").touch()
    workers.start_worker()
    held = enqueue(owner, dead)
    wait_until(partial(has_begun, dead, "one"), 30, "the first to have its turn")
    workers.start_worker()
    waiting = enqueue(owner, alive)
    workers.kill(runner_of(dead, "one"))
    wait_until(lambda: has_begun(alive, "one") or has_begun(dead, "one", times=2), 40, "somebody else's turn")
    (dead / "hold-one").unlink()
    wait_until(partial(has_ended, held, waiting), 20, "the end")


@pytest.fixture
def credential(owner: Actor, names: Names) -> Credential:
    return dns_credential(owner, names.pdns)


def together(writers: int, write: Callable[[Run, int], None], owner: Actor) -> None:
    """Each in a thread and a job of its own, all of them begun before the first one goes on."""
    barrier = Barrier(writers)

    def work(number: int) -> None:
        try:
            run = claim(enqueue_job(owner, kind="gated", subject=owner.organization, label="Write", lane="").pk)
            assert run is not None
            barrier.wait(30)
            write(run, number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(work, range(writers)))


def test_writers_at_once_keep_all_values(owner: Actor, names: Names, credential: Credential) -> None:
    """PowerDNS has what the last one sent: without turns some values get lost, and some writes refused."""
    adapter, served = adapter_of(credential), Served(names.pdns)
    zone = adapter.find_zone(NAME)
    served.add("pdns.test", NAME, "TXT", "of somebody else")

    def put(run: Run, number: int) -> None:
        with writing(run, credential, zone):
            adapter_of(credential).ensure_record(zone, NAME, "TXT", f"value {number}")

    def take(run: Run, number: int) -> None:
        with writing(run, credential, zone):
            adapter_of(credential).remove_record(zone, NAME, "TXT", f"value {number}")

    for _ in range(5):
        together(4, put, owner)
        assert served.values("pdns.test", NAME) == ["of somebody else", *(f"value {number}" for number in range(4))]
        together(4, take, owner)
        assert served.values("pdns.test", NAME) == ["of somebody else"]


def test_the_credential_of_a_zone_is_found_among_all(
    owner: Actor, names: Names, credential: Credential, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploynix.http.FIRST_PAUSE", 0.0)
    bind = dns_credential(owner, names.bind)
    dns_credential(owner, names.pdns, base_url=f"http://{names.silent}:8081")
    assert [row.pk for row in (credential, bind)] == [
        credential_for(owner.organization, name)[0].pk for name in (NAME, "_acme-challenge.example.test")
    ]
    with pytest.raises(Unavailable, match=r"DNS 2 could not be asked"):
        credential_for(owner.organization, "shop.elsewhere.test")
