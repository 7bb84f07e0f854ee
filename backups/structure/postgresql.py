"""A dump by pg_dump in its custom format: a list of contents, and a block of data for each entry that has one.

The format is that of src/bin/pg_dump/pg_backup_archiver.c and pg_backup_custom.c of PostgreSQL 11 to 18.
"""

from collections.abc import Iterator

from backups.structure.plain import Broken, Plain

MAGIC = b"PGDMP"
CUSTOM = 1
# Versions of the format: what each one added.
OLDEST, TABLE_ACCESS_METHODS, COMPRESSION_NAMES, RELATION_KINDS, NEWEST = 13, 14, 15, 16, 16
TABLE, LARGE_OBJECTS = 1, 3
# An entry that describes one function may be long.
LONGEST_TEXT = 1 << 30
MOST_ENTRIES = 100_000_000


def check(plain: Plain) -> None:
    """Raises Broken."""
    archive = Archive(plain)
    wanted = set(archive.entries_with_data())
    while (block := plain.read(1)) != b"":
        entry = archive.number()
        if entry not in wanted:
            raise Broken(f"it has data that its contents do not list ({entry})")
        wanted.remove(entry)
        archive.skip_data(block[0])
    if wanted:
        raise Broken(f"it lacks data that its contents list ({min(wanted)})")


class Archive:
    def __init__(self, plain: Plain) -> None:
        self._plain = plain
        if plain.read(len(MAGIC)) != MAGIC:
            raise Broken("it does not begin as a dump does")
        major, self._version, _, self._width, self._offset_width, kind = plain.exactly(6)
        if major != 1 or not OLDEST <= self._version <= NEWEST or kind != CUSTOM:
            raise Broken(f"its format {major}.{self._version} is not known")
        self._skip_head()

    def number(self) -> int:
        sign, *digits = self._plain.exactly(1 + self._width)
        value = int.from_bytes(bytes(digits), "little")
        return -value if sign else value

    def text(self) -> bytes | None:
        length = self.number()
        if length > LONGEST_TEXT:
            raise Broken("its contents cannot be read")
        return None if length < 0 else self._plain.exactly(length)

    def entries_with_data(self) -> Iterator[int]:
        count = self.number()
        if not 0 <= count <= MOST_ENTRIES:
            raise Broken("its contents cannot be read")
        for _ in range(count):
            entry, has_data = self.number(), self.number()
            self._skip_entry()
            if has_data:
                yield entry

    def skip_data(self, kind: int) -> None:
        if kind == TABLE:
            self._skip_pieces()
        elif kind == LARGE_OBJECTS:
            while self.number():
                self._skip_pieces()
        else:
            raise Broken(f"it has a block of an unknown kind ({kind})")

    def _skip_pieces(self) -> None:
        while length := self.number():
            if length < 0:
                raise Broken("its data cannot be read")
            self._plain.skip(length)

    def _skip_head(self) -> None:
        """How it was compressed, when it was made, of which database, by which versions."""
        if self._version >= COMPRESSION_NAMES:
            self._plain.skip(1)
        else:
            self.number()
        for _ in range(7):
            self.number()
        for _ in range(3):
            self.text()

    def _skip_entry(self) -> None:
        """Class, id, tag, description; section; definition, how to drop it, how to copy it, schema, tablespace, access
        method; kind; owner, with oids; what it depends on; where its data is."""
        self._skip_texts(4)
        self.number()
        self._skip_texts(5 + (self._version >= TABLE_ACCESS_METHODS))
        if self._version >= RELATION_KINDS:
            self.number()
        self._skip_texts(2)
        while self.text() is not None:
            pass
        self._plain.skip(1 + self._offset_width)

    def _skip_texts(self, count: int) -> None:
        for _ in range(count):
            self.text()
