"""Speaks to PostgreSQL as its own user. Names and texts go in as variables, which the client or the server quotes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from typing import Any

from postgresql import AS_POSTGRES, PSQL, USER
from said import first_error
from talk import Failed

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
HERE = {"PATH": PATH, "LC_ALL": "C.UTF-8"}
PROGRAMS = "/usr/lib/postgresql"
COMMAND = [*PSQL, "--file=-"]
# https://www.postgresql.org/docs/current/app-psql.html#APP-PSQL-META-COMMANDS
ESCAPES = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r"})
# The largest answer of a check that is shown.
MOST_FAULTS = 20


def ask(statements: str, database: str = USER, **variables: str) -> str:
    """What psql prints. The variables are `:'name'`, or `:"name"` for a name. Raises Failed."""
    text = settings(variables) + statements
    done = subprocess.run(
        COMMAND, input=text.encode(), env=environment(database), capture_output=True, cwd="/", check=False
    )
    if done.returncode:
        raise Failed("", f"PostgreSQL says: {first_error(done.stderr)}", "Its own log may say more.")
    return done.stdout.decode().strip()


def start(statements: str, **variables: str) -> subprocess.Popen[bytes]:
    """As `ask`, without waiting."""
    pipe = subprocess.PIPE
    reader, writer = os.pipe()
    process = subprocess.Popen(COMMAND, stdin=reader, stdout=pipe, stderr=pipe, env=environment(USER), cwd="/")
    os.close(reader)
    with open(writer, "wb") as stdin:
        stdin.write((settings(variables) + statements).encode())
    return process


def environment(database: str) -> dict[str, str]:
    """In the environment a name stays a name: as an argument psql may read it as connection settings."""
    return {**HERE, "PGDATABASE": database}


def settings(variables: Mapping[str, str]) -> str:
    """In psql's own words, as anybody may read the arguments of a program."""
    return "".join(f"\\set {name} '{value.translate(ESCAPES)}'\n" for name, value in variables.items())


def rows(question: str, database: str = USER, **variables: str) -> list[Any]:
    """The answer to a question that gives one value a row. Raises Failed."""
    whole = f"SELECT COALESCE(json_agg(q.v), '[]') FROM ({question}) AS q (v);"  # noqa: S608 -- questions are ours
    answer = ask(whole, database, **variables)
    found: list[Any] = json.loads(answer)
    return found


def exists(database: str) -> bool:
    return bool(rows("SELECT 1 FROM pg_database WHERE datname = :'name'", name=database))


def drop(database: str) -> None:
    """With those who use it thrown out."""
    ask('DROP DATABASE IF EXISTS :"name" WITH (FORCE);', name=database)


def version() -> int:
    """As 150008 for 15.8."""
    return int(ask("SHOW server_version_num;"))


def folder() -> str:
    return ask("SHOW data_directory;")


def program(name: str) -> str | None:
    """Of the server's own version: Debian keeps those off the path."""
    beside = f"{PROGRAMS}/{version() // 10000}/bin/{name}"
    return beside if os.access(beside, os.X_OK) else shutil.which(name)


def faults(database: str) -> list[str]:
    """What pg_amcheck finds, where the server has it; else what reading each table finds. Raises Failed."""
    amcheck = program("pg_amcheck")
    if not amcheck or not rows("SELECT 1 FROM pg_available_extensions WHERE name = 'amcheck'"):
        return unreadable(database)
    was_there = bool(rows("SELECT 1 FROM pg_extension WHERE extname = 'amcheck'", database))
    options = ["--install-missing=pg_catalog", "--no-password", "--no-strict-names", f"--database={database}"]
    done = subprocess.run(
        [*AS_POSTGRES, amcheck, *options], env=HERE, capture_output=True, encoding="utf-8", cwd="/", check=False
    )
    if not was_there:
        ask("DROP EXTENSION IF EXISTS amcheck;", database)
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return lines[:MOST_FAULTS] or ["pg_amcheck failed"] if done.returncode else []


def unreadable(database: str) -> list[str]:
    """Reads every row of every table."""
    question = (
        "SELECT format('SELECT count(*) FROM (SELECT t::text FROM %I.%I AS t) AS q;', n.nspname, c.relname)"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'm') AND c.relispopulated"
        " AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
    )
    found = []
    for statement in rows(question, database):
        try:
            ask(statement, database)
        except Failed as failure:
            found.append(str(failure))
    return found


def tables(database: str) -> list[str]:
    return rows(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'",
        database,
    )
