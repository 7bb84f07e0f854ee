"""One attempt at a job, as its steps see it. Every write holds only while this attempt is the latest."""

from codecs import getincrementaldecoder
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from threading import Event, Lock
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.functional import cached_property

from deploynix.abilities import ABILITIES
from deploynix.actor import Actor
from deploynix.prepared import Prepared
from deploynix.redact import Redactor, secrets_of
from jobs.models import Job, JobLog, JobStep, Status

# A burst of output is written as one row of at most about this many characters.
PIECE = 16_384
_states = Prepared(
    lambda job: Job.objects.filter(pk=job).values("attempt", "status", "cancel_requested_at", "log_size")
)


class TakenOver(Exception):
    """Another worker has taken the job over; this one must not write any more."""


class Cancelled(Exception):
    """Somebody asked for the job to stop."""


class Postponed(Exception):
    """A step must not go on before `until`: its job is put back, and runs it again then, which counts as no retry.
    `reason` is a whole sentence for the log."""

    def __init__(self, until: datetime, reason: str) -> None:
        super().__init__(reason)
        self.until = until
        self.reason = reason


class Run:
    """What a step gets: the job, its log, its progress, and `write()` for changes of its own.

    `stopping` is set when the job was cancelled or taken over; a step that waits should watch it.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.attempt = job.attempt
        # The job's row, for as long as this attempt has it.
        self.mine = Job.objects.filter(pk=job.pk, attempt=job.attempt, status=Status.RUNNING)
        self.stopping = Event()
        self.is_taken_over = False
        self._text_lock = Lock()
        self._store_lock = Lock()
        self._decoder = getincrementaldecoder("utf-8")(errors="replace")
        self._pending: list[str] = []

    @cached_property
    def actor(self) -> Actor:
        """Acts with everything: the action that queued the job decided that it may run."""
        return Actor(
            organization=self.job.organization,
            abilities=frozenset(ABILITIES),
            user=self.job.user,
            label=self.job.actor,
        )

    @cached_property
    def _redactor(self) -> Redactor:
        return Redactor(secrets_of(self.job.organization_id))

    def change(self, **values: Any) -> None:
        """Changes the job's row. Raises TakenOver where another worker has the job now."""
        if not self.mine.update(heartbeat_at=timezone.now(), **values):
            self.take_away()
            raise TakenOver

    @contextmanager
    def write(self, **values: Any) -> Iterator[None]:
        """A transaction that begins with such a change, and is rolled back where that raises TakenOver."""
        with transaction.atomic():
            self.change(**values)
            yield

    def confirm(self) -> None:
        """Raises TakenOver where another worker has the job now."""
        self.change()

    def take_away(self) -> None:
        self.is_taken_over = True
        self.stopping.set()

    def check(self) -> None:
        """Raises TakenOver or Cancelled where the attempt must not go on."""
        rows = _states.rows(job=self.job.pk)
        if (self.attempt, Status.RUNNING) not in [(row["attempt"], row["status"]) for row in rows]:
            self.take_away()
            raise TakenOver
        if rows[0]["cancel_requested_at"]:
            self.stopping.set()
            raise Cancelled

    def redact(self, text: str) -> str:
        return self._redactor.redact(text)

    def log(self, text: str) -> None:
        """Adds to the log: redacted here, stored within half a second."""
        with self._text_lock:
            self._pending.append(self._redactor.feed(text))
            is_large = sum(map(len, self._pending)) >= PIECE
        # Inside write() the pulse may wait for this very transaction; it stores the text right after.
        if is_large and not transaction.get_connection().in_atomic_block:
            self.flush()

    def line(self, text: str) -> None:
        self.log(f"{text}\n")

    def output(self, chunk: bytes) -> None:
        """Adds what a command printed."""
        self.log(self._decoder.decode(chunk))

    def end_log(self) -> None:
        with self.settle():
            pass

    def flush(self) -> None:
        """Stores what is pending. A taken-over attempt's text is dropped."""
        with self._text_lock:
            is_needed = any(self._pending) and not self.is_taken_over
        if is_needed:
            with suppress(TakenOver), self._storing():
                pass

    @contextmanager
    def settle(self, **values: Any) -> Iterator[None]:
        """As `write`, and stores the log to its end in the same transaction."""
        with self._text_lock:
            self._pending.append(self._redactor.flush())
        with self._storing(**values):
            yield

    @contextmanager
    def _storing(self, **values: Any) -> Iterator[None]:
        """As `write`, and stores what is pending in the same transaction, which nobody else may store meanwhile."""
        with self._store_lock:
            text = self._take_pending()
            try:
                with self.write(log_size=F("log_size") + len(text), **values):
                    self._store(text)
                    yield
            except Exception:
                with self._text_lock:
                    self._pending.insert(0, text)
                raise

    def _take_pending(self) -> str:
        with self._text_lock:
            text, self._pending = "".join(self._pending).replace("\0", "\ufffd"), []
        return text

    def _store(self, text: str) -> None:
        if text:
            [row] = _states.rows(job=self.job.pk)
            JobLog.objects.create(job=self.job, offset=row["log_size"] - len(text), text=text)

    def progress(self, percent: int) -> None:
        """Sets the bar, from 0 to 100."""
        self.change(progress=max(0, min(100, percent)))

    def result(self, **values: object) -> None:
        """Adds to the job's result, which its page and API show."""
        self.job.result = self.job.result | values
        self.change(result=self.job.result)

    def begin_step(self, step: JobStep) -> None:
        self.line(f"==> {step.label}")
        with self._storing():
            JobStep.objects.filter(pk=step.pk).update(
                status=Status.RUNNING, started_at=timezone.now(), finished_at=None
            )

    def end_step(self, step: JobStep, status: Status, percent: int = 0) -> None:
        """The bar never stands behind the `percent` of the steps that are done."""
        with self.settle(progress=Greatest(F("progress"), percent)):
            JobStep.objects.filter(pk=step.pk).update(status=status, finished_at=timezone.now())
