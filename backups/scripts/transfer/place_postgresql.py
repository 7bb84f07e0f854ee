"""A database of PostgreSQL, to be restored into."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import postgresql_client as server
import swap_postgresql
from pipeline import Program
from places import Place, finding, first_row_faults, numbers
from postgresql import AS_POSTGRES
from talk import Failed

AS_NOBODY = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]
QUERY_OPTIONS = "-c default_transaction_read_only=on -c statement_timeout=300s"
MAKE_READER = """
SET log_statement = 'none';
CREATE ROLE :"reader" LOGIN PASSWORD :'password';
GRANT CONNECT ON DATABASE :"scratch" TO :"reader";
"""
LET_READ = """
SELECT format('GRANT USAGE ON SCHEMA %I TO %I', nspname, :'reader'),
       format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO %I', nspname, :'reader')
FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' \\gexec
"""
DROP_READER = 'DROP ROLE IF EXISTS :"reader";'
QUERY = """
BEGIN READ ONLY;
SELECT format('DECLARE q CURSOR FOR %s', :'query') \\gexec
FETCH 1 FROM q;
"""


class PostgreSQL(Place):
    def folder(self) -> str:
        return server.folder()

    def check(self) -> None:
        has, made_by = server.version() // 10000, numbers(str(self.facts["version"]))[0]
        if has < made_by:
            hint = "Update the server, or choose a newer one."
            raise Failed(
                "check", f"The server has PostgreSQL {has}, which is older than {made_by} of the backup.", hint
            )
        known = set(server.rows("SELECT name FROM pg_available_extensions"))
        if unknown := sorted({one["name"] for one in self.facts["extensions"]} - known):
            hint = "Install their packages on the server, or choose another one."
            raise Failed("check", f"The server lacks extensions that the backup needs: {', '.join(unknown)}.", hint)
        if server.exists(self.live):
            swap_postgresql.check(self.live)

    def prepare(self) -> None:
        self.discard()
        swap_postgresql.make_roles(self.scratch, self.facts)
        swap_postgresql.create(self.scratch, self.facts)

    def loader(self) -> Program:
        options = ["--exit-on-error", "--no-password", f"--dbname={self.scratch}"]
        return Program("load", "pg_restore", [*AS_POSTGRES, "pg_restore", *options])

    def check_loaded(self) -> None:
        if faults := server.faults(self.scratch):
            raise Failed(
                "load", f"The server's own check finds faults: {'; '.join(faults[:5])}", "Nothing was changed."
            )

    def is_loaded(self) -> bool:
        return server.exists(self.scratch)

    def is_swapped(self) -> bool:
        return swap_postgresql.is_swapped(self.live, self.scratch)

    def swap(self) -> None:
        swap_postgresql.swap(self.live, self.scratch, self.facts)

    def discard(self) -> None:
        swap_postgresql.undo(self.scratch)
        server.ask(DROP_READER, reader=self.reader)

    def findings(self, query: str) -> Iterator[dict[str, Any]]:
        yield finding("pg_amcheck", server.faults(self.scratch), "All tables and indexes are sound.")
        yield finding("Tables", server.unreadable(self.scratch), f"All {len(server.tables(self.scratch))} can be read.")
        if query:
            yield finding("Query", self.query_faults(query), "It gave a row.")

    def query_faults(self, query: str) -> list[str]:
        """Asked by a role that may read the scratch and nothing else, signs in as everybody does, and goes with it."""
        password = secrets.token_hex(20)
        server.ask(MAKE_READER, reader=self.reader, password=password, scratch=self.scratch)
        server.ask(LET_READ, self.scratch, reader=self.reader)
        return self._ask_as(password, query)

    @property
    def reader(self) -> str:
        return f"{self.scratch}_reader"

    def _ask_as(self, password: str, query: str) -> list[str]:
        login = {
            "PGHOST": "127.0.0.1",
            "PGPORT": server.ask("SHOW port;"),
            "PGUSER": self.reader,
            "PGPASSWORD": password,
        }
        env = {**server.environment(self.scratch), **login, "PGOPTIONS": QUERY_OPTIONS}
        command = [*AS_NOBODY, *server.COMMAND[len(AS_POSTGRES) :]]
        return first_row_faults(command, server.settings({"query": query}) + QUERY, env)
