"""What must be true before anything is started, and what is prepared: data folder, port, database, static files."""

import errno
import fcntl
import hashlib
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import DatabaseError

# sockaddr_un holds 108 bytes, the closing zero included: unix(7).
LONGEST_SOCKET_PATH = 107
BACKLOG = 256
# Two packages bring pages that are not shown here, and compressing their files would take seconds.
UNUSED_FILES = ["redoc", "rest_framework"]


class Refusal(Exception):
    """Deploynix cannot start; the text says why and what to do."""


def claim_data() -> int:
    """Makes the data folder this process's own; returns the lock's descriptor, which holds as long as it is open."""
    data: Path = settings.DATA
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=data).close()
        lock = os.open(data / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Refusal(f"The data folder {data} cannot be written: {error.strerror}. Set DATA to another.") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Refusal(f"Another Deploynix runs on the data folder {data}. Stop it, or set DATA to another.") from error
    if len(os.fsencode(settings.REDIS_SOCKET)) > LONGEST_SOCKET_PATH:
        raise Refusal(f"The path of the data folder {data} is too long for a socket. Set DATA to a shorter one.")
    return lock


def listen(host: str, port: int) -> socket.socket:
    """Opens the web address. The socket outlives the web process, so that requests wait while that is restarted."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise Refusal(_why_not_listening(host, port, error)) from error


def _why_not_listening(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is taken by another program. Set PORT to a free one, such as {port + 1}."
    return f"Port {port} on {host} cannot be opened: {error.strerror}. Set HOST and PORT to what this machine has."


def prepare() -> None:
    """Brings the database and the static files up to date."""
    try:
        call_command("migrate", interactive=False, verbosity=0)
    except DatabaseError as error:
        reason = " ".join(str(error).split())
        raise Refusal(f"The database cannot be used: {reason}. Check DATABASE_URL and that the server runs.") from error
    _check_keys()
    _collect_static_files()


def _check_keys() -> None:
    # It reads the settings as it is imported, and these may be what a start is refused for.
    from deploynix.rotation import WRONG_KEYS, WRONG_KEYS_HINT, unreadable_column

    if column := unreadable_column():
        raise Refusal(f"{WRONG_KEYS.format(column=column)} {WRONG_KEYS_HINT}")


def _collect_static_files() -> None:
    """Compressing takes seconds, so it happens only when a file has changed since the last time."""
    mark = settings.STATIC_ROOT / ".collected"
    fingerprint = _fingerprint()
    if mark.exists() and mark.read_text() == fingerprint:
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=0, ignore_patterns=UNUSED_FILES)
    mark.write_text(fingerprint)


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for line in sorted(_static_files()):
        digest.update(line.encode())
    return digest.hexdigest()


def _static_files() -> Iterator[str]:
    for finder in get_finders():
        for path, storage in finder.list([]):
            file = os.stat(storage.path(path))
            yield f"{storage.path(path)} {file.st_size} {file.st_mtime_ns}\n"


def has_no_user() -> bool:
    return not get_user_model().objects.exists()


def answers(host: str, port: int) -> bool:
    """Whether the web process takes requests."""
    address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  (recognised, not bound)
    try:
        with closing(socket.create_connection((address, port), timeout=1)) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return connection.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False
