"""Whatever moment the program that puts a restore in its place is killed at: all of it is old, or all of it is new."""

import random
import shutil
from pathlib import Path

import pytest

from backups import exchange
from backups.actions import restore_backup
from backups.models import Restore
from jobs.models import Status as JobStatus
from tests.examples import share
from tests.lab.restores import databases, discard, log_of, run
from tests.lab.test_restores import World, damage, world

__all__ = ["world"]

pytestmark = [pytest.mark.lab, pytest.mark.elsewhere, pytest.mark.soak, pytest.mark.django_db(transaction=True)]
# Ends the program before, or after, one of the things that a swap does.
BOMB = """
import os
import mariadb_client
import postgresql_client
import restore

AT, IS_AFTER = {at}, {is_after}
count = 0


def armed(real):
    def called(*arguments, **named):
        global count
        count += 1
        if count == AT and not IS_AFTER:
            os._exit(99)
        done = real(*arguments, **named)
        if count == AT:
            os._exit(99)
        return done
    return called


real_swap = restore.MODES["swap"]


def swap(values):
    mariadb_client.Client.do = armed(mariadb_client.Client.do)
    postgresql_client.ask = armed(postgresql_client.ask)
    postgresql_client.start = armed(postgresql_client.start)
    real_swap(values)


restore.MODES["swap"] = swap
"""
# As many things as a swap does, or more.
MOST = {"mariadb": 24, "postgresql": 12}


def with_bomb(folder: Path, at: int, is_after: bool) -> Path:
    transfer = folder / f"transfer-{at}-{is_after}"
    shutil.copytree(exchange.TRANSFER, transfer, ignore=shutil.ignore_patterns("__pycache__"))
    (transfer / "bomb.py").write_text(BOMB.format(at=at, is_after=is_after))
    main = transfer / "__main__.py"
    main.write_text(main.read_text().replace("import engines\n", "import bomb\nimport engines\n"))
    return transfer


def killed(world: World, transfer: Path, monkeypatch: pytest.MonkeyPatch) -> Restore | None:
    """A restore that was killed in the swap; None where it came to its end before."""
    world.backup.refresh_from_db()
    restore = restore_backup(world.owner, backup=world.backup)
    with monkeypatch.context() as patch:
        patch.setattr(exchange, "TRANSFER", transfer)
        job = run(restore.job)
    if job.status == JobStatus.SUCCEEDED:
        return None
    assert "exit code 99" in job.error, log_of(job)
    return restore


def test_a_program_that_is_killed_leaves_all_or_nothing(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, names = world.now(), databases(world.host, world.engine)
    points = [(at, is_after) for at in range(1, MOST[world.engine]) for is_after in (False, True)]
    damage(world)
    damaged = world.now()
    for at, is_after in random.sample(points, min(len(points), share(20))):
        restore = killed(world, with_bomb(tmp_path, at, is_after), monkeypatch)
        if restore:
            discard(restore)
        assert databases(world.host, world.engine) == names, (at, is_after)
        now = world.now()
        assert now in ((damaged, good) if restore else (good,)), (at, is_after)
        if now == good:
            damage(world)
            damaged = world.now()
