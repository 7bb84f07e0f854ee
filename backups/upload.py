"""Has a server make a backup and send it to the store, and knows what of it is there."""

import time
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from backups import parts, store
from backups.exchange import URL_SECONDS, Exchange, TransferFailed
from backups.models import Backup, BackupPart
from deploynix.errors import Error
from jobs.run import Run
from servers.ssh import Target

LONGEST_SECONDS = 7 * 24 * 3600.0
# So long a part is tried again before the upload has failed.
PATIENCE_SECONDS = 300.0
NOTE_SECONDS = 1.0
# Of the whole job's bar.
PERCENT_FROM, PERCENT_TO = 5, 60


class Upload(Exchange):
    """One upload. `backup.upload_id` is what the store calls it, `backup.sender` which run of the program feeds it."""

    stage = "upload"

    def __init__(self, run: Run, backup: Backup, target: Target) -> None:
        self.backup, self.storage = backup, store.storage_of(backup)
        super().__init__(run, target, "upload", store.address_of(self.storage, backup))
        self._nonce = ""
        self._parts: dict[int, BackupPart] = {}
        self._done: Mapping[str, Any] | None = None
        self._progress: Mapping[str, int] = {}
        self._noted_at = 0.0

    def run_to_end(self, values: Mapping[str, Any]) -> None:
        """Sends it, and writes down what was sent. Raises TransferFailed, ProviderError, and as `units`."""
        plan = self._plan()
        more = {"plan": [[alike.count, alike.size, alike.at_once] for alike in plan], "patience": PATIENCE_SECONDS}
        self.follow({"mode": "send", **values, **more}, LONGEST_SECONDS)
        self._finish()

    @property
    def tag(self) -> str:
        return sha256(self.backup.upload_id.encode()).hexdigest()[:16]

    def urls(self, numbers: Iterable[int]) -> dict[int, str]:
        backup = self.backup
        return store.part_urls(self.storage, backup.bucket, backup.key, backup.upload_id, numbers, URL_SECONDS)

    def tend(self) -> None:
        if self._nonce and self._nonce != self.backup.sender:
            self._begin()
        super().tend()
        self._note()

    def hear_began(self, nonce: str) -> None:
        super().hear_began(nonce)
        self._nonce = str(nonce)[:32]
        self._parts, self._done, self._progress = {}, None, {}

    def hear_sent(self, part: Mapping[str, Any]) -> None:
        number = int(part["number"])
        self._parts[number] = BackupPart(
            backup=self.backup,
            number=number,
            size=int(part["size"]),
            md5=str(part["md5"])[:32],
            etag=str(part["etag"])[:128],
        )
        self._wanted.discard(number)

    def hear_progress(self, progress: Mapping[str, int]) -> None:
        self._progress = progress

    def hear_done(self, done: Mapping[str, Any]) -> None:
        self._done = done

    def _plan(self) -> tuple[parts.Alike, ...]:
        if not self.storage.needs_equal_parts:
            return parts.growing_parts()
        # An attempt that was too large tells more than an estimate.
        return parts.equal_parts(max(int(self.backup.facts.get("size", 0)), self.backup.sent))

    def _begin(self) -> None:
        """A new upload for a new run of the program, in the place of one that nobody feeds any more."""
        if self._parts or self._round > 1:
            raise TransferFailed("upload", "The upload that an earlier attempt began was given up.", retryable=True)
        backup = self.backup
        if backup.upload_id or self.run.attempt > 1:
            self._abort(backup.upload_id)
        upload_id = store.start_upload(self.storage, backup.bucket, backup.key)
        try:
            with self.run.write():
                Backup.objects.filter(pk=backup.pk).update(upload_id=upload_id, sender=self._nonce)
        except BaseException:
            self._abort(upload_id)
            raise
        backup.upload_id, backup.sender = upload_id, self._nonce

    def _abort(self, upload_id: str) -> None:
        try:
            store.abort_upload(self.storage, self.backup.bucket, self.backup.key, upload_id)
        except Error as error:
            self.run.line(f"{error.message} {error.hint}")

    def _note(self) -> None:
        if not self._progress or time.monotonic() - self._noted_at < NOTE_SECONDS:
            return
        self._noted_at = time.monotonic()
        progress, self._progress = self._progress, {}
        sent, raw = int(progress["sent"]), int(progress["raw"])
        with self.run.write():
            Backup.objects.filter(pk=self.backup.pk).update(sent=sent)
            if expected := int(self.backup.facts.get("size", 0)):
                share = min(1.0, raw / expected)
                self.run.progress(int(PERCENT_FROM + share * (PERCENT_TO - PERCENT_FROM)))

    def _finish(self) -> None:
        done, sent = self._done, [self._parts[number] for number in sorted(self._parts)]
        if done is None or self.backup.sender != self._nonce or done["upload"] != self.tag:
            raise TransferFailed("upload", "The transfer ended without saying what it sent.", "Retry.")
        numbers, size = [part.number for part in sent], sum(part.size for part in sent)
        if not sent or numbers != list(range(1, int(done["parts"]) + 1)) or size != int(done["size"]):
            raise TransferFailed("upload", "What was sent is not what was made.", "Retry.")
        with self.run.write():
            self.backup.parts.all().delete()
            BackupPart.objects.bulk_create(sent, batch_size=500)
            Backup.objects.filter(pk=self.backup.pk).update(
                size=size, sent=size, raw_size=int(done["raw_size"]), sha256=""
            )
        self.run.line(_summary(size, done["usage"]))


def _summary(size: int, usage: Mapping[str, float]) -> str:
    mib, seconds = size / parts.MIB, max(float(usage["seconds"]), 0.001)
    return (
        f"Sent {mib:.1f} MiB in {seconds:.1f} s, {mib / seconds:.0f} MiB a second, with {float(usage['cpu']):.2f} s of"
        f" CPU and {float(usage['memory']) / parts.MIB:.0f} MiB of memory."
    )
