"""What a MariaDB or MySQL database holds beside tables: views, routines, events and triggers, as statements.

They cannot be renamed into another database: they are written down, and made again there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from mariadb_client import Client, literal, quoted
from talk import Failed

KINDS = ("ROUTINE", "EVENT", "TRIGGER", "VIEW")
# In an order in which they can be made: the head of a package comes before its body.
LISTS = {
    "ROUTINE": "SELECT ROUTINE_TYPE, ROUTINE_NAME, '', {show} FROM information_schema.ROUTINES"
    " WHERE ROUTINE_SCHEMA = @a ORDER BY ROUTINE_TYPE = 'PACKAGE BODY', 1, 2;",
    "EVENT": "SELECT 'EVENT', EVENT_NAME, STATUS, {show} FROM information_schema.EVENTS"
    " WHERE EVENT_SCHEMA = @a ORDER BY 2;",
    "TRIGGER": "SELECT 'TRIGGER', TRIGGER_NAME, '', {show} FROM information_schema.TRIGGERS"
    " WHERE TRIGGER_SCHEMA = @a ORDER BY EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER;",
    "VIEW": "SELECT 'VIEW', TABLE_NAME, '', {show} FROM information_schema.VIEWS WHERE TABLE_SCHEMA = @a ORDER BY 2;",
}
WORDS = {
    "ROUTINE": ("ROUTINE_TYPE", "ROUTINE_NAME"),
    "EVENT": ("'EVENT'", "EVENT_NAME"),
    "TRIGGER": ("'TRIGGER'", "TRIGGER_NAME"),
    "VIEW": ("'VIEW'", "TABLE_NAME"),
}
# Where SHOW CREATE has the SQL mode, time zone, statement, client's character set, and the collations of the
# connection and of the database.
COLUMNS = {
    "ROUTINE": (1, None, 2, 3, 4, 5),
    "EVENT": (1, 2, 3, 4, 5, 6),
    "TRIGGER": (1, None, 2, 3, 4, 5),
    "VIEW": (None, None, 1, 2, 3, None),
}
# As the events of a database that is being filled: see `adapted.py`.
ASLEEP = "SLAVESIDE_DISABLED"


@dataclass(frozen=True)
class Definition:
    """`kind` is what CREATE and DROP call it. `statement` holds bytes that are no UTF-8 as surrogates."""

    kind: str
    name: str
    statement: str
    sql_mode: str
    time_zone: str
    charset: str
    collation: str
    database_collation: str

    def moved(self, source: str, target: str) -> Definition:
        """The same in another database. `source` is a name that nothing else has."""
        name = target.replace("`", "``")
        return replace(self, statement=self.statement.replace(f"`{source}`.", f"`{name}`."))

    def dropping(self, database: str) -> str:
        """A question whose answer is the statement."""
        where = f"{quoted(literal(database))}, '.', {quoted(literal(self.name))}"
        return f"SELECT CONCAT('DROP {self.kind} IF EXISTS ', {where});"

    def settings(self) -> Iterator[str]:
        yield f"SET SESSION sql_mode = {literal(self.sql_mode)}"
        if self.time_zone:
            yield f"SET SESSION time_zone = {literal(self.time_zone)}"
        # The text of a view comes as UTF-8, the others' as it was sent.
        is_converted = self.kind == "VIEW" and not self.statement.isascii()
        yield f"SET SESSION character_set_client = {literal('utf8mb4' if is_converted else self.charset)}"
        yield f"SET SESSION collation_connection = {literal(self.collation)}"


def definitions(client: Client, database: str, kind: str) -> list[Definition]:
    """Those of a kind of KINDS."""
    word, name = WORDS[kind]
    show = f"CONCAT('SHOW CREATE ', {word}, ' ', {quoted('@a')}, '.', {quoted(name)}, ';')"
    found = client.ask(LISTS[kind].format(show=show), database)
    shown = client.ask("SET character_set_results = NULL;\n" + "\n".join(row[3] for row in found)) if found else []
    if len(shown) != len(found):
        raise Failed("", f"What {database} holds changed while it was read.", "Try again.")
    return [_definition(COLUMNS[kind], listed, row) for listed, row in zip(found, shown)]  # noqa: B905 -- Python 3.9 has no `strict`


def _definition(columns: Sequence[int | None], listed: Sequence[str], row: Sequence[str]) -> Definition:
    mode, zone, statement, charset, collation, of_database = ("" if at is None else row[at] for at in columns)
    kind, name, status, _ = listed
    if status == ASLEEP:
        statement = statement.replace(" DISABLE ON SLAVE", " ENABLE", 1)
    return Definition(kind, name, statement, mode, zone, charset, collation, of_database)


def all_definitions(client: Client, database: str) -> dict[str, list[Definition]]:
    return {kind: definitions(client, database, kind) for kind in KINDS}


def make(client: Client, database: str, kind: str, wanted: Sequence[Definition]) -> None:
    """Makes those that are not there in just this way, in the place of others of the same name. Raises Failed."""
    present = definitions(client, database, kind)
    missing = [definition for definition in wanted if definition not in present]
    if kind == "TRIGGER" and missing:
        # They run in the order in which they were made.
        drop(client, database, present)
        missing = list(wanted)
    if kind == "VIEW":
        _make_views(client, database, missing)
    elif missing:
        client.do(_statements(client, database, missing), database)


def drop(client: Client, database: str, unwanted: Iterable[Definition]) -> None:
    for definition in unwanted:
        client.follow(definition.dropping(database))


def others(client: Client, database: str, kind: str, wanted: Iterable[Definition]) -> list[Definition]:
    """Those of the database that are called like none of these."""
    names = {(definition.kind, definition.name) for definition in wanted}
    present = definitions(client, database, kind)
    return [definition for definition in present if (definition.kind, definition.name) not in names]


def _make_views(client: Client, database: str, wanted: Sequence[Definition]) -> None:
    """One may stand on another that comes later."""
    failure: Failed | None = None
    while wanted:
        left = []
        for definition in wanted:
            try:
                client.do(_statements(client, database, [definition]), database)
            except Failed as reason:
                left.append(definition)
                failure = reason
        if len(left) == len(wanted) and failure:
            raise failure
        wanted = left


def _statements(client: Client, database: str, wanted: Sequence[Definition]) -> Iterator[str]:
    """With the collation of the database at the time when each was made: texts inside have it too."""
    own = client.collation(database)
    now = own
    for definition in wanted:
        if (definition.database_collation or own) != now:
            now = definition.database_collation or own
            yield client.collating(database, now)
        yield from definition.settings()
        yield from _creating(client, database, definition)
    if now != own:
        yield client.collating(database, own)


def _creating(client: Client, database: str, definition: Definition) -> Iterator[str]:
    statement = definition.statement
    if client.is_mariadb:
        # What others may do with it stays.
        yield statement if statement.startswith("CREATE OR ") else statement.replace("CREATE ", "CREATE OR REPLACE ", 1)
        return
    yield from (row[0] for row in client.ask(definition.dropping(database)))
    yield statement
