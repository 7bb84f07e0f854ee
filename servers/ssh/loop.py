"""One event loop per process, in a thread of its own, for a library that knows only asyncio."""

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from deploynix.dry_run import is_dry_run

T = TypeVar("T")

_starting = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


def submit(coroutine: Coroutine[Any, Any, T]) -> Future[T]:
    """Raises RuntimeError in a dry run: only jobs reach servers."""
    if is_dry_run():
        coroutine.close()
        raise RuntimeError("SSH was reached in a dry run")
    return asyncio.run_coroutine_threadsafe(coroutine, _running_loop())


def wait(coroutine: Coroutine[Any, Any, T]) -> T:
    """Runs the coroutine on the loop and returns its result; interrupting the caller cancels it."""
    future = submit(coroutine)
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


def _running_loop() -> asyncio.AbstractEventLoop:
    global _loop
    with _starting:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="ssh", daemon=True).start()
        return _loop


def _forget() -> None:
    # A fork copies the loop, but not the thread that runs it, and perhaps a lock that nobody will open.
    global _loop, _starting
    _loop = None
    _starting = threading.Lock()


os.register_at_fork(after_in_child=_forget)
