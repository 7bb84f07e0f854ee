"""Reading a backup back from the store, to prove that it is what was sent, and whole."""

import hashlib
from collections.abc import Iterator

import zstandard
from django.utils import timezone

from backups import store, structure
from backups.models import Backup, Encryption, Type
from deploynix.errors import Error
from jobs.run import Run
from providers.errors import NotFound

# Of the object, between two looks at whether the job shall go on.
STRIDE = 64 * 1024 * 1024


class Faulty(Error):
    """The backup cannot be restored."""

    status = 409
    code = "faulty_backup"


def verify(run: Run, backup: Backup) -> None:
    """Reads the whole object and writes down what was found: `verified_at`, and `fault` where something is wrong.

    Raises Faulty, and ProviderError where the store cannot be read, which says nothing about the backup.
    """
    reading = Reading(backup, store.read(backup))
    try:
        _examine(run, backup, reading)
    except NotFound:
        _record(run, backup, f"The store has no object {backup.key} in {backup.bucket} any more.")
    except structure.Broken as reason:
        _record(run, backup, str(reason))
    else:
        _record(run, backup, "")
    kind = "checksum and header" if backup.encryption != Encryption.NONE else "checksum, compression and structure"
    run.line(f"Read {backup.size} bytes back: {kind} are as they should be.")


def _record(run: Run, backup: Backup, fault: str) -> None:
    backup.fault, backup.verified_at = fault, timezone.now()
    with run.write():
        Backup.objects.filter(pk=backup.pk).update(fault=fault, verified_at=backup.verified_at)
    if fault:
        raise Faulty(fault, "It cannot be restored. Make another one, and see who or what changed it in the store.")


def _examine(run: Run, backup: Backup, reading: "Reading") -> None:
    """Raises Broken."""
    chunks = _watched(run, backup, reading)
    try:
        if backup.encryption == Encryption.NONE:
            structure.check(kind_of(backup), structure.Plain(chunks, backup.raw_size))
        else:
            structure.check_encrypted(backup.encryption, next(chunks, b""))
    except (structure.Broken, zstandard.ZstdError) as reason:
        # What was changed in the store shows as nonsense first. The checksum is the better answer.
        _drain(chunks)
        reading.check()
        raise structure.Broken(f"It was stored as it was sent, but it is not whole: {reason}") from reason
    _drain(chunks)
    reading.check()


def kind_of(backup: Backup) -> str:
    return "files" if backup.type == Type.APPLICATION else backup.engine


def _drain(chunks: Iterator[bytes]) -> None:
    for _ in chunks:
        pass


def _watched(run: Run, backup: Backup, reading: "Reading") -> Iterator[bytes]:
    looked_at = 0
    for chunk in reading:
        if reading.size - looked_at >= STRIDE:
            looked_at = reading.size
            run.check()
            run.line(f"{looked_at // 1024**2} of {(backup.size or 0) // 1024**2} MiB")
        yield chunk


class Reading:
    """The object's bytes, summed up on the way. Raises Broken at the first part that is not what was sent."""

    def __init__(self, backup: Backup, chunks: Iterator[bytes]) -> None:
        self.size = 0
        self._backup = backup
        self._chunks = chunks
        self._sum = hashlib.sha256()
        self._ends = iter(_ends(backup))
        self._end, self._number, self._sha256 = next(self._ends, (0, 0, ""))
        self._fault = ""

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._take(memoryview(chunk))
            yield chunk

    def check(self) -> None:
        """Call it at the end. Raises Broken."""
        backup = self._backup
        if not self._fault and (self.size != backup.size or self._sum.hexdigest() != backup.sha256):
            self._fault = "The object in the store is not what was sent"
        if self._fault:
            size = f", and has {self.size} bytes in place of {backup.size}" if self.size != backup.size else ""
            raise structure.Broken(f"{self._fault}{size}.")

    def _take(self, chunk: memoryview) -> None:
        while len(chunk):
            piece = chunk[: self._end - self.size] if self._end > self.size else chunk
            self._sum.update(piece)
            self.size += len(piece)
            chunk = chunk[len(piece) :]
            if self.size == self._end:
                self._end_part()

    def _end_part(self) -> None:
        if not self._fault and self._sum.hexdigest() != self._sha256:
            self._fault = f"Part {self._number} of the object in the store is not what was sent"
        self._end, self._number, self._sha256 = next(self._ends, (0, 0, ""))


def _ends(backup: Backup) -> Iterator[tuple[int, int, str]]:
    end = 0
    for number, size, sha256 in backup.parts.values_list("number", "size", "sha256"):
        end += size
        yield end, number, sha256
