"""Speaks to MariaDB and MySQL as root. Names go in as hexadecimal digits, and come back quoted by the server."""

from __future__ import annotations

import re
import secrets
import subprocess
from collections.abc import Iterable, Sequence

from mariadb import LARGEST_ROW, tool
from said import first_error
from talk import Failed

LOCAL = ["--no-defaults", "--default-character-set=utf8mb4"]
# No command of the client is obeyed but DELIMITER, so that nothing in a dump can reach a shell; and no rows in a log.
LOADING = [*LOCAL, "--binary-mode", f"--max-allowed-packet={LARGEST_ROW}", "--loose-skip-print-query-on-error"]
START = "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'; SET SESSION group_concat_max_len = 1 << 30;\n"
# The client writes these in the place of what would break its lines.
ESCAPES = {"\\n": "\n", "\\t": "\t", "\\0": "\0", "\\\\": "\\"}
ESCAPED = re.compile(r"\\[nt0\\]")
# What CHECK TABLE says of a table that is well, or that it has no way to check.
WELL = {"OK", "Table is already up to date", "The storage engine for the table doesn't support check"}


class Client:
    def __init__(self) -> None:
        self.program = tool("mariadb", "mysql")
        self.is_mariadb = self.program == "mariadb"
        self.label = "MariaDB" if self.is_mariadb else "MySQL"

    def ask(self, statements: str, *names: str) -> list[list[str]]:
        """The rows of all answers. The names are in the variables `@a`, `@b` and so on. Raises Failed."""
        variables = "".join(f"SET @{letter} = {literal(name)};\n" for letter, name in zip("abc", names))  # noqa: B905
        said = self._run([*LOCAL, "--batch", "--skip-column-names"], START + variables + statements)
        # Not `splitlines`, which ends lines at other characters too.
        return [[plain(value) for value in line.split("\t")] for line in said.split("\n")[:-1]]

    def follow(self, question: str, *names: str) -> None:
        """Does what the answers say: each is a statement. Raises Failed."""
        self.do([row[0] for row in self.ask(question, *names)])

    def do(self, statements: Iterable[str], database: str = "") -> None:
        """Raises Failed at the first that fails."""
        # The client reads 15 characters at most.
        end = secrets.token_hex(7)
        lines = [START, f"DELIMITER {end}\n", *(f"{statement}\n{end}\n" for statement in statements)]
        self._run(self.options(database), "".join(lines))

    def options(self, database: str) -> list[str]:
        return [*LOADING, *([f"--database={database}"] if database else [])]

    def _run(self, options: Sequence[str], statements: str) -> str:
        text = statements.encode("utf-8", "surrogateescape")
        done = subprocess.run([self.program, *options], input=text, capture_output=True, check=False)
        if done.returncode:
            raise Failed("", f"{self.label} says: {first_error(done.stderr)}", "Its own log may say more.")
        return done.stdout.decode("utf-8", "surrogateescape")

    def exists(self, database: str) -> bool:
        return bool(self.ask("SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = @a;", database))

    def create(self, database: str, collation: str = "") -> None:
        how = f", ' COLLATE ', {literal(collation)}" if collation else ""
        self.follow(f"SELECT CONCAT('CREATE DATABASE ', {quoted('@a')}{how}, ';');", database)

    def drop(self, database: str) -> None:
        self.follow(f"SELECT CONCAT('DROP DATABASE IF EXISTS ', {quoted('@a')}, ';');", database)

    def collation(self, database: str) -> str:
        question = "SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = @a;"
        return self.ask(question, database)[0][0]

    def collating(self, database: str, collation: str) -> str:
        """The statement that makes this the collation of the database."""
        question = f"SELECT CONCAT('ALTER DATABASE ', {quoted('@a')}, ' COLLATE ', @b);"
        return self.ask(question, database, collation)[0][0]

    def tables(self, database: str) -> list[str]:
        """Sequences too, which are renamed like tables."""
        question = "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = @a"
        return [row[0] for row in self.ask(f"{question} AND TABLE_TYPE NOT LIKE '%VIEW' ORDER BY 1;", database)]

    def faults(self, database: str) -> list[str]:
        """What the server's own check finds wrong with tables and views."""
        question = (
            f"SELECT CONCAT('CHECK TABLE ', {quoted('@a')}, '.', {quoted('TABLE_NAME')}, ';')"  # noqa: S608 -- SQL's own words
            " FROM information_schema.TABLES WHERE TABLE_SCHEMA = @a AND TABLE_TYPE <> 'SEQUENCE' ORDER BY TABLE_NAME;"
        )
        checks = "\n".join(row[0] for row in self.ask(question, database))
        return [f"{table}: {text}" for table, _, level, text in self.ask(checks) if is_fault(level, text)]


def is_fault(level: str, text: str) -> bool:
    return level.lower() == "error" or (level == "status" and text not in WELL)


def literal(text: str) -> str:
    return f"CONVERT(X'{text.encode('utf-8', 'surrogateescape').hex()}' USING utf8mb4)"


def quoted(expression: str) -> str:
    """An SQL expression whose value is the name, quoted."""
    return f"CONCAT('`', REPLACE({expression}, '`', '``'), '`')"


def plain(value: str) -> str:
    return ESCAPED.sub(lambda found: ESCAPES[found[0]], value)
