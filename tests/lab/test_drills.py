"""Drills on real servers: a backup is proven by loading it, and nothing of that stays."""

from typing import Any

import pytest

from backups.actions import drill_backup
from backups.models import Restore, Status
from jobs.models import Status as JobStatus
from tests.lab.restores import databases, discard, has_scratch, log_of, mariadb, psql, run
from tests.lab.test_restores import World, world

__all__ = ["world"]

pytestmark = [pytest.mark.lab, pytest.mark.elsewhere, pytest.mark.django_db(transaction=True)]


def drilled(world: World, query: str = "") -> Restore:
    world.backup.refresh_from_db()
    restore = drill_backup(world.owner, backup=world.backup, query=query)
    run(restore.job)
    discard(restore)
    restore.refresh_from_db()
    return restore


def users(world: World) -> str:
    if world.engine == "mariadb":
        return mariadb(world.host, "SELECT User, Host FROM mysql.user ORDER BY 1, 2")
    return psql(world.host, "SELECT rolname FROM pg_roles ORDER BY 1")


def answer(restore: Restore) -> dict[str, Any]:
    found: dict[str, Any] = restore.findings[-1]
    return found


def test_a_drill_proves_a_backup_and_leaves_nothing(world: World) -> None:
    before, names, logins = world.now(), databases(world.host, world.engine), users(world)
    restore = drilled(world, "SELECT id FROM kinds WHERE id = 1000")
    assert restore.job
    assert restore.job.status == JobStatus.SUCCEEDED, log_of(restore.job)
    assert [one["passed"] for one in restore.findings] == [True, True, True]
    assert restore.seconds
    assert restore.finished_at
    assert (restore.error, restore.stage) == ("", "")
    world.backup.refresh_from_db()
    assert world.backup.status == Status.COMPLETED
    assert (world.now(), databases(world.host, world.engine), users(world)) == (before, names, logins)


def test_a_query_decides_and_can_do_nothing_else(world: World) -> None:
    before, logins = world.now(), users(world)
    outside = {
        "mariadb": f"SELECT * FROM `{world.database.name}`.kinds",  # noqa: S608 -- a name of ours
        "postgresql": "SELECT pg_read_file('/etc/passwd')",
    }[world.engine]
    writing = {
        "mariadb": "SELECT 1 INTO OUTFILE '/tmp/out'",
        "postgresql": "SELECT nextval('tickets')",
    }[world.engine]
    for query, passed, detail in (
        ("SELECT id FROM kinds WHERE id = -1", False, "It gave no row."),
        ("SELECT no_such_column FROM kinds", False, "no_such_column"),
        ("SELECT 'it''s \\ \"odd\" 😀' AS a\nFROM kinds", True, "It gave a row."),
        (outside, False, "denied"),
        (writing, False, "denied|read-only|permission"),
    ):
        restore = drilled(world, query)
        assert answer(restore)["passed"] == passed, (query, restore.findings)
        assert any(part in answer(restore)["detail"] for part in detail.split("|")), restore.findings
        assert bool(restore.error) != passed
    assert not has_scratch(world.host, world.engine)
    assert (world.now(), users(world)) == (before, logins)
