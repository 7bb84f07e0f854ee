"""Puts what was loaded into a scratch database in the place of a MariaDB or MySQL database, or changes nothing.

All tables change places in one RENAME TABLE, which the server does wholly or not at all. What cannot be renamed is made
again. The old tables wait in a third database until all of it is in place. What there was is written down before the
first change, where a later call finds it if this program or the machine is killed.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from typing import Any

import journal
from definitions import KINDS, Definition, all_definitions, definitions, drop, make, others
from mariadb_client import Client, literal, quoted
from talk import Failed

# How long a table may be in use before those who use it are disconnected.
LOCK_SECONDS = 10
ATTEMPTS = 6
LOCKED = "ERROR 1205"
USERS = "SELECT CONCAT('KILL ', ID, ';') FROM information_schema.PROCESSLIST WHERE DB = @a AND ID <> CONNECTION_ID();"
FOREIGN = (
    "SELECT DISTINCT CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) FROM information_schema.KEY_COLUMN_USAGE"
    " WHERE REFERENCED_TABLE_SCHEMA = @a AND TABLE_SCHEMA <> @a;"
)
# A default that draws from a sequence names its database.
DEFAULTS = (  # noqa: S608 -- SQL's own words
    "SELECT CONCAT('ALTER TABLE ', {a}, '.', {table}, ' ALTER COLUMN ', {column}, ' SET DEFAULT (',"
    " REPLACE(COLUMN_DEFAULT, CONCAT({b}, '.'), CONCAT({a}, '.')), ');') FROM information_schema.COLUMNS"
    " WHERE TABLE_SCHEMA = @a AND INSTR(COLUMN_DEFAULT, CONCAT({b}, '.'));"
).format(a=quoted("@a"), b=quoted("@b"), table=quoted("TABLE_NAME"), column=quoted("COLUMN_NAME"))


def check(client: Client, live: str) -> None:
    """Raises Failed where tables of other databases hang on those of this one: they would be led astray."""
    if tables := [row[0] for row in client.ask(FOREIGN, live)]:
        raise Failed(
            "check",
            f"Foreign keys of other databases refer to {live}: {', '.join(tables[:5])}.",
            "Remove those foreign keys, or restore into another database.",
        )


def swap(client: Client, live: str, scratch: str) -> None:
    """Raises Failed, after everything was put back."""
    before = journal.read(scratch) or {}
    if not before.get("is_swapped"):
        undo(client, scratch)
        new = look_at(client, live, scratch)
        try:
            forward(client, live, scratch, new)
            prove(client, live, scratch, new)
        except Failed:
            undo(client, scratch)
            raise
        journal.write(scratch, {"live": live, "is_swapped": True})
    finish(client, live, scratch)


def look_at(client: Client, live: str, scratch: str) -> dict[str, list[Definition]]:
    """What shall be beside the tables. What there is now is written down."""
    new = {
        kind: [one.moved(scratch, live) for one in found] for kind, found in all_definitions(client, scratch).items()
    }
    is_there = client.exists(live)
    if is_there:
        check(client, live)
    found = {kind: [asdict(one) for one in all_] for kind, all_ in all_definitions(client, live).items()}
    tables = {"old": client.tables(live), "new": client.tables(scratch)}
    collation = client.collation(live) if is_there else ""
    journal.write(scratch, {"live": live, "collation": collation, "definitions": found, **tables})
    return new


def forward(client: Client, live: str, scratch: str, new: dict[str, list[Definition]]) -> None:
    tables = client.tables(scratch)
    client.drop(old_name(scratch))
    client.create(old_name(scratch))
    if not client.exists(live):
        client.create(live)
    # Until a view has gone, no table can have its name.
    drop(client, live, [view for view in definitions(client, live, "VIEW") if view.name in tables])
    for database in (live, scratch):
        drop(client, database, definitions(client, database, "TRIGGER"))
    exchange(client, live, [(live, old_name(scratch), client.tables(live)), (scratch, live, tables)])
    client.do([client.collating(live, client.collation(scratch))])
    client.follow(DEFAULTS, live, scratch)
    for kind in KINDS:
        make(client, live, kind, new[kind])


def exchange(client: Client, live: str, moves: list[tuple[str, str, list[str]]]) -> None:
    """Moves tables from one database to another, all at once. Who keeps using them is disconnected. Raises Failed."""
    pairs = [
        f"SELECT CONCAT({quoted(literal(source))}, '.', {quoted(literal(name))}, ' TO ',"
        f" {quoted(literal(target))}, '.', {quoted(literal(name))});"
        for source, target, names in moves
        for name in names
    ]
    if not pairs:
        return
    statement = "RENAME TABLE " + ", ".join(row[0] for row in client.ask("\n".join(pairs)))
    for _ in range(ATTEMPTS - 1):
        try:
            client.do([f"SET SESSION lock_wait_timeout = {LOCK_SECONDS}", statement])
            return
        except Failed as failure:
            if LOCKED not in str(failure):
                raise
        cut_off(client, live)
    client.do([statement])


def cut_off(client: Client, live: str) -> None:
    for row in client.ask(USERS, live):
        # One that has gone by itself is as good.
        with suppress(Failed):
            client.do(row)


def prove(client: Client, live: str, scratch: str, new: dict[str, list[Definition]]) -> None:
    before = journal.read(scratch) or {}
    if client.tables(live) != before["new"] or client.tables(scratch):
        raise Failed("swap", f"The tables of {live} are not those that were restored.", "Try again.")
    for kind in KINDS:
        missing = {one.name for one in new[kind]} - {one.name for one in definitions(client, live, kind)}
        if missing:
            raise Failed("swap", f"{live} lacks the {kind.lower()} {min(missing)}.", "Try again.")


def finish(client: Client, live: str, scratch: str) -> None:
    """Drops what there was before. All of it may be gone already."""
    if client.exists(scratch):
        for kind in KINDS:
            if kind != "TRIGGER":
                drop(client, live, others(client, live, kind, definitions(client, scratch, kind)))
    for database in (old_name(scratch), scratch):
        client.drop(database)


def undo(client: Client, scratch: str) -> None:
    """Puts back what a swap that was not finished has changed, if there was one. Raises Failed."""
    before = journal.read(scratch)
    if before is None or before.get("is_swapped"):
        return
    live = before["live"]
    if not before["collation"]:
        restore_absence(client, live, scratch, before)
    else:
        restore_content(client, live, scratch, before)
    journal.remove(scratch)


def restore_absence(client: Client, live: str, scratch: str, before: dict[str, Any]) -> None:
    if client.exists(live):
        client.drop(live)


def restore_content(client: Client, live: str, scratch: str, before: dict[str, Any]) -> None:
    old = {kind: [Definition(**one) for one in found] for kind, found in before["definitions"].items()}
    if is_renamed(client, scratch, before):
        drop(client, live, definitions(client, live, "TRIGGER"))
        for kind in KINDS:
            drop(client, live, others(client, live, kind, old[kind]))
        exchange(client, live, [(live, scratch, before["new"]), (old_name(scratch), live, before["old"])])
    client.do([client.collating(live, before["collation"])])
    for kind in KINDS:
        make(client, live, kind, old[kind])
        drop(client, live, others(client, live, kind, old[kind]))


def is_renamed(client: Client, scratch: str, before: dict[str, Any]) -> bool:
    if before["new"]:
        return client.tables(scratch) != before["new"]
    return bool(before["old"]) and client.tables(old_name(scratch)) == before["old"]


def old_name(scratch: str) -> str:
    """Where the old tables wait."""
    return f"{scratch}_old"
