"""Reading a backup back from the store, to prove that it is what was sent, and whole."""

import hashlib
from collections.abc import Iterator

import zstandard
from django.utils import timezone

from backups import store, structure
from backups.models import Backup, BackupPart, Encryption, Type
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

    The first time it is compared with what the server has sent, and the sums are written down that it is compared with
    from then on. Raises Faulty, and ProviderError where the store cannot be read, which says nothing about the backup.
    """
    reading = Reading(backup, store.read(backup))
    try:
        raw_size = _examine(run, backup, reading)
    except NotFound:
        _record(run, backup, f"The store has no object {backup.key} in {backup.bucket} any more.")
    except structure.Broken as reason:
        _record(run, backup, str(reason))
    else:
        if reading.is_first:
            _keep_sums(run, backup, reading, raw_size)
        _record(run, backup, "")
    kind = "checksum and header" if backup.encryption != Encryption.NONE else "checksum, compression and structure"
    run.line(f"Read {backup.size} bytes back: {kind} are as they should be.")


def _keep_sums(run: Run, backup: Backup, reading: "Reading", raw_size: int | None) -> None:
    backup.sha256, backup.raw_size = reading.sha256, raw_size
    with run.write():
        BackupPart.objects.bulk_update(reading.parts, ["sha256"], batch_size=500)
        Backup.objects.filter(pk=backup.pk).update(sha256=backup.sha256, raw_size=raw_size)


def _record(run: Run, backup: Backup, fault: str) -> None:
    backup.fault, backup.verified_at = fault, timezone.now()
    with run.write():
        Backup.objects.filter(pk=backup.pk).update(fault=fault, verified_at=backup.verified_at)
    if fault:
        raise Faulty(fault, "It cannot be restored. Make another one, and see who or what changed it in the store.")


def _examine(run: Run, backup: Backup, reading: "Reading") -> int | None:
    """How many bytes it unpacks to, as far as is known. Raises Broken."""
    raw_size, chunks = backup.raw_size, _watched(run, backup, reading)
    try:
        if backup.encryption == Encryption.NONE:
            plain = structure.Plain(chunks, None if reading.is_first else raw_size)
            structure.check(kind_of(backup), plain)
            raw_size = plain.position
        else:
            structure.check_encrypted(backup.encryption, next(chunks, b""))
    except (structure.Broken, zstandard.ZstdError) as reason:
        # What was changed in the store shows as nonsense first. The checksum is the better answer.
        _drain(chunks)
        reading.check()
        raise structure.Broken(f"It was stored as it was sent, but it is not whole: {reason}") from reason
    _drain(chunks)
    reading.check()
    return raw_size


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
    """The object's bytes, compared on the way with what was sent; `parts` have their `sha256` at the end."""

    def __init__(self, backup: Backup, chunks: Iterator[bytes]) -> None:
        self.size = 0
        self.is_first = not backup.sha256
        self.parts = list(backup.parts.all())
        self._backup = backup
        self._chunks = chunks
        self._whole = hashlib.sha256()
        self._ahead = iter(self.parts)
        self._end = 0
        self._fault = ""
        self._begin_part()

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._take(memoryview(chunk))
            yield chunk

    @property
    def sha256(self) -> str:
        """Of all that was read."""
        return self._whole.hexdigest()

    def check(self) -> None:
        """Call it at the end. Raises Broken."""
        backup = self._backup
        expected = self.parts[-1].sha256 if self.is_first and self.parts else backup.sha256
        if not self._fault and (self.size != backup.size or self.sha256 != expected):
            self._fault = "The object in the store is not what was sent"
        if self._fault:
            size = f", and has {self.size} bytes in place of {backup.size}" if self.size != backup.size else ""
            raise structure.Broken(f"{self._fault}{size}.")

    def _take(self, chunk: memoryview) -> None:
        while len(chunk):
            piece = chunk[: self._end - self.size] if self._end > self.size else chunk
            self._whole.update(piece)
            if self.is_first:
                self._piece.update(piece)
            self.size += len(piece)
            chunk = chunk[len(piece) :]
            if self._part and self.size == self._end:
                self._end_part(self._part)

    def _begin_part(self) -> None:
        self._part = next(self._ahead, None)
        self._end += self._part.size if self._part else 0
        self._piece = _md5()

    def _end_part(self, part: BackupPart) -> None:
        is_same = self._piece.hexdigest() == part.md5 if self.is_first else self.sha256 == part.sha256
        if not self._fault and not is_same:
            self._fault = f"Part {part.number} of the object in the store is not what was sent"
        part.sha256 = self.sha256
        self._begin_part()


def _md5() -> "hashlib._Hash":
    return hashlib.md5(usedforsecurity=False)
