"""What the demo needs around it: a server, a Git repository that the server can reach, and an install."""

import fcntl
import itertools
import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.ports import free_port, listens
from tools.processes import ROOT, Install, running, running_install
from tools.targethost import Lab
from tools.targethost.images import locked
from tools.targethost.process import wait_until


class PartError(Exception):
    """Why a part cannot be had, and what to do."""


@dataclass(frozen=True)
class Target:
    """A fresh server; `own_address` is where it reaches this machine."""

    user: str
    address: str
    port: int
    private_key: str
    own_address: str
    host_key: str | None = None


@contextmanager
def target_host() -> Iterator[Target]:
    """A throw-away server on this machine. Raises LabError where that cannot be."""
    with ExitStack() as stack:
        lab = _unused_lab(stack)
        lab.destroy()
        stack.callback(lab.destroy)
        lab.build()
        host = lab.start("web", f"{lab.gateway.rpartition('.')[0]}.10")
        yield Target("root", host.ip, 22, host.private_key_path.read_text(), lab.gateway, host.host_key)


def _unused_lab(stack: ExitStack) -> Lab:
    for number in itertools.count():
        lab = Lab(f"demo{number}", f"10.90.{number}")
        try:
            stack.enter_context(locked(lab.cache / f"{lab.name}.lock", fcntl.LOCK_EX | fcntl.LOCK_NB))
        except BlockingIOError:
            continue
        return lab
    raise AssertionError("numbers do not end")


def own_server(host: str, key: str) -> Target:
    """A server of the user's: `user@address` or `user@address:port`, and the path of a private key that opens it."""
    user, at, address = host.rpartition("@")
    address, _, port = address.partition(":")
    if not at or not user or not address:
        raise PartError(f"HOST={host} is not of the form user@address.")
    try:
        private_key = Path(key).expanduser().read_text()
    except OSError as error:
        raise PartError(f"KEY={key} cannot be read: {error.strerror}. Set KEY to a private key of {host}.") from error
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        # Sends nothing: it asks the kernel which of its addresses it would use.
        probe.connect((address, int(port or 22)))
        own_address: str = probe.getsockname()[0]
    return Target(user, address, int(port or 22), private_key, own_address)


class Repository:
    """A Git repository with one page, served by `git daemon`."""

    def __init__(self, folder: Path, address: str) -> None:
        self._tree = folder / "site"
        self.port = free_port(address)
        self.url = f"git://{address}:{self.port}/site"
        git("init", "--quiet", "--initial-branch=main", str(self._tree), cwd=folder)

    def commit(self, text: str) -> None:
        (self._tree / "index.html").write_text(f"<!doctype html>\n<title>Demo</title>\n<p>{text}</p>\n")
        git("add", "--all", cwd=self._tree)
        person = ("-c", "user.name=Demo", "-c", "user.email=demo@deploynix.test")
        git(*person, "commit", "--quiet", "--message", text, cwd=self._tree)


def git(*arguments: str, cwd: Path = ROOT) -> str:
    try:
        return subprocess.run(["git", *arguments], cwd=cwd, check=True, capture_output=True, text=True).stdout
    except FileNotFoundError as error:
        raise PartError("git is not installed: apt-get install git") from error


@contextmanager
def repository(address: str) -> Iterator[Repository]:
    with tempfile.TemporaryDirectory(prefix="deploynix-demo-git-") as name:
        folder = Path(name)
        served = Repository(folder, address)
        options = [
            f"--listen={address}",
            f"--port={served.port}",
            f"--base-path={folder}",
            "--export-all",
            "--reuseaddr",
        ]
        # Not `git daemon`, which is a process in front of this one.
        program = f"{git('--exec-path').strip()}/git-daemon"
        with running([program, *options, str(folder)], folder / "daemon.log"):
            wait_until(lambda: listens(address, served.port), 10)
            yield served


@contextmanager
def install() -> Iterator[str]:
    """Deploynix with an empty data folder; yields its address."""
    with tempfile.TemporaryDirectory(prefix="deploynix-demo-") as name:
        empty = Install(Path(name))
        # HOST may name the demo's server.
        with running_install(empty, os.environ | {"HOST": "127.0.0.1"}):
            yield empty.url
