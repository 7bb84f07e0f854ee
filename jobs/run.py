"""One attempt at a job, as its steps see it. Every write holds only while this attempt is the latest."""

from codecs import getincrementaldecoder
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from threading import Event, Lock

from django.db import DatabaseError, models, transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from deploynix.abilities import ABILITIES
from deploynix.actor import Actor
from deploynix.redact import Redactor, secrets_of
from jobs.models import Job, JobLog, JobStep, Status

# A burst of output is written as one row of at most about this many characters.
PIECE = 16_384


class TakenOver(Exception):
    """Another worker has taken the job over; this one must not write any more."""


class Cancelled(Exception):
    """Somebody asked for the job to stop."""


class Run:
    """What a step gets: the job, its log, its progress, and `write()` for changes of its own.

    `stopping` is set when the job was cancelled or taken over; a step that waits should watch it.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.attempt = job.attempt
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

    def mine(self) -> models.QuerySet[Job]:
        return Job.objects.filter(pk=self.job.pk, attempt=self.attempt, status=Status.RUNNING)

    @contextmanager
    def write(self) -> Iterator[None]:
        """A transaction that is rolled back, by TakenOver, where another worker has the job now."""
        with transaction.atomic():
            if not self.mine().update(heartbeat_at=timezone.now()):
                self.take_away()
                raise TakenOver
            yield

    def confirm(self) -> None:
        """Raises TakenOver where another worker has the job now."""
        with self.write():
            pass

    def take_away(self) -> None:
        self.is_taken_over = True
        self.stopping.set()

    def check(self) -> None:
        """Raises TakenOver or Cancelled where the attempt must not go on."""
        row = self.mine().values_list("cancel_requested_at", flat=True).first()
        if row is not None:
            self.stopping.set()
            raise Cancelled
        if not self.mine().exists():
            self.take_away()
            raise TakenOver

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
        with self._text_lock:
            self._pending.append(self._redactor.flush())
        self.flush()

    def flush(self) -> None:
        """Stores what is pending. A taken-over attempt's text is dropped."""
        with self._store_lock:
            with self._text_lock:
                text, self._pending = "".join(self._pending).replace("\0", "\ufffd"), []
            if not text or self.is_taken_over:
                return
            try:
                self._store(text)
            except TakenOver:
                return
            except DatabaseError:
                with self._text_lock:
                    self._pending.insert(0, text)
                raise

    def _store(self, text: str) -> None:
        with self.write():
            self.mine().update(log_size=F("log_size") + len(text))
            size = Job.objects.values_list("log_size", flat=True).get(pk=self.job.pk)
            JobLog.objects.create(job=self.job, offset=size - len(text), text=text)

    def progress(self, percent: int) -> None:
        """Sets the bar, from 0 to 100."""
        with self.write():
            self.mine().update(progress=max(0, min(100, percent)))

    def result(self, **values: object) -> None:
        """Adds to the job's result, which its page and API show."""
        with self.write():
            self.job.result = self.job.result | values
            self.mine().update(result=self.job.result)

    def begin_step(self, step: JobStep) -> None:
        with self.write():
            JobStep.objects.filter(pk=step.pk).update(
                status=Status.RUNNING, started_at=timezone.now(), finished_at=None
            )
        self.line(f"==> {step.label}")

    def end_step(self, step: JobStep, status: Status) -> None:
        self.end_log()
        with self.write():
            JobStep.objects.filter(pk=step.pk).update(status=status, finished_at=timezone.now())
            self._advance()

    def _advance(self) -> None:
        """The bar never stands behind the steps that are done."""
        is_done = models.Q(status=Status.SUCCEEDED)
        steps = self.job.steps.aggregate(all=models.Count("pk"), done=models.Count("pk", filter=is_done))
        self.mine().update(progress=Greatest(F("progress"), 100 * steps["done"] // steps["all"]))
