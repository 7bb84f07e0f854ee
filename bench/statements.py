"""What a web process says to the database: every statement of its connections, as PostgreSQL logs it."""

import re
from pathlib import Path

from tests.peers import PostgreSQL

STATEMENT = re.compile(r"LOG:  (?:statement|execute [^:]+): (.*)")
# Added to the URL of a database, for the connections that are made with it.
LOGGED = "?options=-c%20log_statement%3Dall"


class Statements:
    def __init__(self, database: PostgreSQL) -> None:
        self._log: Path = database.folder / "log"
        self.forget()

    def forget(self) -> None:
        self._read = self._log.stat().st_size

    def seen(self) -> list[str]:
        """Those since `forget`."""
        with self._log.open(errors="replace") as log:
            log.seek(self._read)
            return STATEMENT.findall(log.read())
