"""The pulse of a worker process: one thread that stores logs and tells that the attempts here are alive."""

import logging
import threading
import time
from contextlib import suppress

from django.db import DatabaseError, close_old_connections, connections

from jobs.run import Cancelled, Run, TakenOver

logger = logging.getLogger(__name__)
BEAT_SECONDS = 2.0
FLUSH_SECONDS = 0.3

_runs: set[Run] = set()
_lock = threading.Lock()
_thread: threading.Thread | None = None


def join(run: Run) -> None:
    """Keeps the attempt alive until `leave`."""
    global _thread
    with _lock:
        _runs.add(run)
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_beat_on, name="pulse", daemon=True)
            _thread.start()


def leave(run: Run) -> None:
    with _lock:
        _runs.discard(run)


def _beat_on() -> None:
    beat_at = 0.0
    while True:
        with _lock:
            runs = list(_runs)
        due = time.monotonic() >= beat_at
        if due:
            beat_at = time.monotonic() + BEAT_SECONDS
        # With nothing to tend, no connection is kept.
        close_old_connections() if runs else connections.close_all()
        for run in runs:
            _tend(run, due)
        time.sleep(FLUSH_SECONDS)


def _tend(run: Run, due: bool) -> None:
    try:
        run.flush()
        if due:
            beat(run)
    except DatabaseError:
        # The next beat is in two seconds; an attempt that misses three of them is taken over.
        logger.exception("no heartbeat for job %s", run.job.pk)


def beat(run: Run) -> None:
    """One heartbeat; learns whether the attempt should stop."""
    with suppress(TakenOver, Cancelled):
        run.confirm()
        run.check()
