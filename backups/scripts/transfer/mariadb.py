"""MariaDB and MySQL: how a dump is made, and what is to be known of a database before it is."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

from pipeline import Program
from talk import Failed

# A row may be as large as the server itself allows at most.
LARGEST_ROW = "1G"
DUMP = [
    *("--no-defaults", "--single-transaction", "--quick", "--routines", "--events", "--triggers", "--hex-blob"),
    # Under its locks no row of a table could be loaded whose default draws from a sequence.
    *("--no-tablespaces", "--skip-add-locks", "--default-character-set=utf8mb4", f"--max-allowed-packet={LARGEST_ROW}"),
]
# MySQL's client would write statements that only a server with replication takes.
DUMP_MYSQL = [*DUMP, "--set-gtid-purged=OFF"]
# The name comes as hexadecimal digits: nothing of it can be read as SQL.
FACTS = """
SET @name = CONVERT(X'{name}' USING utf8mb4);
SELECT JSON_OBJECT(
    'version', VERSION(),
    'charset', s.default_character_set_name,
    'collation', s.default_collation_name,
    'size', (SELECT COALESCE(SUM(t.data_length), 0) FROM information_schema.tables t
             WHERE t.table_schema = s.schema_name),
    'tables', (SELECT COUNT(*) FROM information_schema.tables t WHERE t.table_schema = s.schema_name),
    'plain_tables', (SELECT COUNT(*) FROM information_schema.tables t JOIN information_schema.engines e
                     ON e.engine = t.engine WHERE t.table_schema = s.schema_name AND e.transactions <> 'YES')
) FROM information_schema.schemata s WHERE s.schema_name = @name;
"""


def dump(values: dict[str, Any]) -> Program:
    """Of one moment, without locks, as far as the tables are transactional."""
    program = tool("mariadb-dump", "mysqldump")
    options = DUMP_MYSQL if values["engine"] == "mysql" else DUMP
    return Program("dump", program, [program, *options, "--", values["database"]])


def facts(values: dict[str, Any]) -> dict[str, Any]:
    """`size` is in bytes; `plain_tables` are not transactional: what changes meanwhile may be torn."""
    tool("mariadb-dump", "mysqldump")
    answer = sql(FACTS.format(name=values["database"].encode().hex()))
    if not answer:
        raise Failed("prepare", f"The server has no database {values['database']}.", "Synchronize the databases.")
    found: dict[str, Any] = json.loads(answer)
    if found["plain_tables"]:
        print(f"{found['plain_tables']} tables are not transactional: do not change them during a backup.", flush=True)
    return found


def sql(statements: str) -> str:
    """What the server answers to root. Raises Failed."""
    client = tool("mariadb", "mysql")
    command = [client, "--no-defaults", "--batch", "--skip-column-names", "--raw", "--default-character-set=utf8mb4"]
    done = subprocess.run(command, input=statements, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        message = f"The database does not answer: {done.stderr.strip()[-500:]}"
        raise Failed("prepare", message, "See on the server whether it runs: systemctl status mariadb.")
    return done.stdout.strip()


def tool(*names: str) -> str:
    """The first of them that the server has. Raises Failed."""
    for name in names:
        if shutil.which(name):
            return name
    raise Failed("prepare", f"The server has no {names[0]}.", "Install the client programs of its database.")
