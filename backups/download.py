"""Has a server fetch a backup from the store and load it, or do something else about a restore."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from backups import store
from backups.exchange import URL_SECONDS, Exchange, TransferFailed
from backups.models import Restore
from jobs.run import Run
from servers.ssh import Target

# As the program calls what it asks an address for.
OBJECT = 1
LONGEST_SECONDS = 7 * 24 * 3600.0
# So long a part is tried again before the restore has failed.
PATIENCE_SECONDS = 300.0
NOTE_SECONDS = 1.0
# Of the whole job's bar.
PERCENT_FROM, PERCENT_TO = 5, 90


class Task(Exchange):
    """Something that the program does on the server alone. `stage` is what it is called where it fails."""

    def __init__(self, run: Run, target: Target, stage: str, address: Mapping[str, Any] | None = None) -> None:
        super().__init__(run, target, stage, address or {})
        self.stage = stage
        self.heard: dict[str, Any] = {}

    def do(self, values: Mapping[str, Any], seconds: float = LONGEST_SECONDS) -> dict[str, Any]:
        """What it said. Raises TransferFailed, and as `units`."""
        self.follow({"mode": self.stage, **values}, seconds)
        return self.heard

    @property
    def tag(self) -> str:
        return self.run.job.pk

    def urls(self, numbers: Iterable[int]) -> dict[int, str]:
        """None: it does not get to the store."""
        return {}

    def hear_swapped(self, value: object) -> None:
        self.heard["swapped"] = True

    def hear_missing(self, value: object) -> None:
        self.heard["missing"] = True

    def hear_findings(self, findings: Iterable[Mapping[str, Any]]) -> None:
        self.heard["findings"] = [
            {
                "check": str(one["check"])[:100],
                "passed": bool(one["passed"]),
                "detail": self.run.redact(str(one["detail"])[:2000]),
            }
            for one in findings
        ]


class Download(Task):
    """Fetches the backup into the scratch of the restore."""

    def __init__(self, run: Run, restore: Restore, target: Target) -> None:
        self.restore, self.backup = restore, restore.backup
        address = store.address_of(store.storage_of(self.backup), self.backup)
        super().__init__(run, target, "load", address)
        self._received = 0
        self._noted_at = 0.0

    def urls(self, numbers: Iterable[int]) -> dict[int, str]:
        """One, of which ranges are asked for."""
        return {number: store.download_url(self.backup, URL_SECONDS) for number in numbers if number == OBJECT}

    def run_to_end(self, values: Mapping[str, Any]) -> float:
        """How many seconds it took. Raises TransferFailed, and as `units`."""
        parts = list(self.backup.parts.order_by("number").values_list("size", "sha256"))
        self.follow({"mode": "receive", "parts": parts, "patience": PATIENCE_SECONDS, **values}, LONGEST_SECONDS)
        if "seconds" not in self.heard:
            raise TransferFailed("load", "The transfer ended without saying that all was loaded.", "Retry.")
        return float(self.heard["seconds"])

    def tend(self) -> None:
        super().tend()
        self._note()

    def hear_began(self, nonce: str) -> None:
        super().hear_began(nonce)
        self.heard = {}

    def hear_progress(self, progress: Mapping[str, int]) -> None:
        self._received = int(progress["received"])

    def hear_done(self, done: Mapping[str, Any]) -> None:
        self._received = int(done["received"])
        self.heard["seconds"] = float(done["seconds"])
        self._note(always=True)

    def _note(self, *, always: bool = False) -> None:
        if not self._received or (time.monotonic() - self._noted_at < NOTE_SECONDS and not always):
            return
        self._noted_at = time.monotonic()
        received, self._received = self._received, 0
        share = min(1.0, received / max(self.backup.size or 1, 1))
        with self.run.write():
            Restore.objects.filter(pk=self.restore.pk).update(received=received)
            self.run.progress(int(PERCENT_FROM + share * (PERCENT_TO - PERCENT_FROM)))
