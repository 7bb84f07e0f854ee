"""By tar: members, and at least two empty blocks at its end. POSIX.1-2017, pax, "ustar Interchange Format"."""

import tarfile
from typing import Self

from backups.scripts.transfer.members import reason_to_refuse
from backups.structure.plain import BLOCK, Broken, Plain


def check(plain: Plain) -> None:
    """Raises Broken, also for what a restore would not unpack."""
    try:
        archive = tarfile.TarFile(fileobj=Forward(plain), tarinfo=Member)  # type: ignore[arg-type]
        while member := archive.next():
            if reason := reason_to_refuse(member):
                raise Broken(f"it cannot be unpacked, as {reason}")
            # It would keep them all.
            archive.members.clear()  # type: ignore[attr-defined]
    except tarfile.TarError as error:
        raise Broken(f"it is no whole archive: {error}") from error
    _check_end(plain)


def _check_end(plain: Plain) -> None:
    """The first empty block has been read."""
    padding = plain.exactly(tarfile.BLOCKSIZE)
    while padding:
        if padding.strip(b"\0"):
            raise Broken("something follows the end of the archive")
        padding = plain.read(BLOCK)


class Member(tarfile.TarInfo):
    """Python's own takes what it cannot read for the end of the archive."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(archive)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            raise
        except tarfile.HeaderError as error:
            raise Broken(f"it is no whole archive: {error}") from error


class Forward:
    """As much of a file as reading an archive in order takes."""

    mode = "rb"

    def __init__(self, plain: Plain) -> None:
        self._plain = plain

    def read(self, most: int) -> bytes:
        return self._plain.read(most)

    def tell(self) -> int:
        return self._plain.position

    def seek(self, position: int) -> None:
        self._plain.skip(position - self._plain.position)
