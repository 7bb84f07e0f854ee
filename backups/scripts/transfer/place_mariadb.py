"""A database of MariaDB or MySQL, to be restored into."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from typing import IO, Any

import journal
import swap_mariadb
from adapted import adapted
from encryption import private_file
from mariadb_client import Client, literal, quoted
from pipeline import Program
from places import Place, blocks, finding, first_row_faults, numbers
from talk import Failed


class MariaDB(Place):
    def __init__(self, values: dict[str, Any]) -> None:
        super().__init__(values)
        self.client = Client()

    def folder(self) -> str:
        return self.client.ask("SELECT @@datadir;")[0][0]

    def check(self) -> None:
        has, made_by = self.client.ask("SELECT VERSION();")[0][0], str(self.facts["version"])
        is_same = ("mariadb" in has.lower()) == ("mariadb" in made_by.lower())
        if is_same and numbers(has) < numbers(made_by):
            hint = "Update the server, or choose a newer one."
            raise Failed("check", f"The server has {has}, which is older than {made_by} of the backup.", hint)
        if self.client.exists(self.live):
            swap_mariadb.check(self.client, self.live)

    def prepare(self) -> None:
        self.discard()
        journal.remove(self.scratch)
        self.client.create(self.scratch, str(self.facts["collation"]))

    def loader(self) -> Program:
        return Program("load", self.client.program, [self.client.program, *self.client.options(self.scratch)])

    def move(self, source: IO[bytes], sink: IO[bytes]) -> None:
        for block in adapted(blocks(source), str(self.values["source"]), self.scratch):
            sink.write(block)

    def check_loaded(self) -> None:
        if faults := self.client.faults(self.scratch):
            raise Failed(
                "load", f"The server's own check finds faults: {'; '.join(faults[:5])}", "Nothing was changed."
            )

    def is_loaded(self) -> bool:
        return self.client.exists(self.scratch)

    def is_swapped(self) -> bool:
        return bool((journal.read(self.scratch) or {}).get("is_swapped"))

    def swap(self) -> None:
        swap_mariadb.swap(self.client, self.live, self.scratch)

    def discard(self) -> None:
        swap_mariadb.undo(self.client, self.scratch)
        for database in (swap_mariadb.old_name(self.scratch), self.scratch):
            self.client.drop(database)
        self.client.follow(f"SELECT CONCAT('DROP USER IF EXISTS ', {self.reader}, ';');")

    def findings(self, query: str) -> Iterator[dict[str, Any]]:
        yield finding("CHECK TABLE", self.client.faults(self.scratch), "All tables and views are sound.")
        yield finding("Tables", self.missing(), f"All {self.facts['tables']} are there.")
        if query:
            yield finding("Query", self.query_faults(query), "It gave a row.")

    def missing(self) -> list[str]:
        """They were counted a moment before the dump: no reason to refuse a restore, but one to look."""
        question = "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = @a;"
        count = int(self.client.ask(question, self.scratch)[0][0])
        return [] if count == self.facts["tables"] else [f"{count} tables and views, not {self.facts['tables']}"]

    def query_faults(self, query: str) -> list[str]:
        """Asked by a user who may read the scratch and nothing else, and goes with it."""
        password = secrets.token_hex(20)
        # In the place of a database's name an underscore stands for any character.
        name = quoted(f"REPLACE({literal(self.scratch)}, '_', '\\\\_')")
        create = f"SELECT CONCAT('CREATE USER ', {self.reader}, ' IDENTIFIED BY ', QUOTE({literal(password)}), ';');"
        self.client.follow(create)
        grant = f"SELECT CONCAT('GRANT SELECT, EXECUTE, SHOW VIEW ON ', {name}, '.* TO ', {self.reader}, ';');"
        self.client.follow(grant)
        return self._ask_as(password, query)

    @property
    def reader_name(self) -> str:
        """MySQL takes 32 characters at most."""
        return f"dnx_{self.scratch[-26:]}"

    @property
    def reader(self) -> str:
        """An SQL expression."""
        return f"CONCAT(QUOTE({literal(self.reader_name)}), '@localhost')"

    def _ask_as(self, password: str, query: str) -> list[str]:
        login = private_file("query.cnf", f"[client]\nuser={self.reader_name}\npassword={password}\n")
        # A text that is prepared can only be one statement, and holds no command of the client.
        statements = f"START TRANSACTION READ ONLY; SET @q = {literal(query)}; PREPARE q FROM @q; EXECUTE q;\n"
        options = [f"--defaults-file={login}", "--batch", "--skip-column-names", "--quick"]
        options += [f"--database={self.scratch}", "--default-character-set=utf8mb4"]
        try:
            return first_row_faults([self.client.program, *options], statements)
        finally:
            os.remove(login)
