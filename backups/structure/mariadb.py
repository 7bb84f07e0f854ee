"""A dump by mariadb-dump or mysqldump: a header, statements, and a last line that only a whole one has."""

from backups.structure.plain import BLOCK, Broken, Plain

HEADERS = (b"-- MariaDB dump ", b"-- MySQL dump ")
TRAILER = b"-- Dump completed"
# Where the header, or the last line, is looked for.
NEAR = 4096


def check(plain: Plain) -> None:
    """Raises Broken."""
    tail = head = plain.read(NEAR)
    # Newer ones begin with a comment for the client.
    if not any(line.startswith(HEADERS) for line in head.splitlines()[:2]):
        raise Broken("it does not begin as a dump does")
    while block := plain.read(BLOCK):
        tail = (tail + block)[-NEAR:]
    if not tail.endswith(b"\n") or not tail.rstrip(b"\n").rpartition(b"\n")[2].startswith(TRAILER):
        raise Broken("it lacks the last line of a dump that is complete")
