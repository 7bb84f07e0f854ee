"""What a server's configuration consists of, and who contributes to it.

An app that has something to say about a server's files registers a provider in its `AppConfig.ready()`.
"""

import posixpath
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Managed:
    """A path on the server that belongs to us. It must be absolute and lead through no link.

    `validate` names what judges a change before it counts: nginx, sshd, visudo, nftables, supervisor or php-fpm8.3
    (any version). `reload` names what has to take a change: a systemd service, or sshd, supervisor, systemd, sysctl.
    A `guarded` change puts itself back after a minute unless a new SSH login confirms it. The text of a `secret`
    file never leaves the server, in no diff and no error. Folders on the way must be root's or the owner's own.
    """

    path: str
    validate: str | None = None
    reload: str | None = None
    guarded: bool = False
    secret: bool = False

    def __post_init__(self) -> None:
        if not self.path.startswith("/") or posixpath.normpath(self.path) != self.path or "\0" in self.path:
            raise ValueError(f"{self.path!r} is no absolute, plain path")


@dataclass(frozen=True, kw_only=True)
class ManagedFile(Managed):
    content: bytes = field(repr=False)
    mode: int = 0o644
    owner: str = "root"
    group: str = "root"


@dataclass(frozen=True, kw_only=True)
class ManagedDirectory(Managed):
    """Removed, once it is wanted no longer, only if it is empty."""

    mode: int = 0o755
    owner: str = "root"
    group: str = "root"


@dataclass(frozen=True, kw_only=True)
class ManagedLink(Managed):
    """A symbolic link. Its target is not looked at."""

    target: str


Provider = Callable[[Any], Iterable[Managed]]

_providers: list[Provider] = []


def register(provider: Provider) -> Provider:
    """Registers a function that yields what a server should have; of use as a decorator."""
    if provider not in _providers:
        _providers.append(provider)
    return provider


def collect(server: Any) -> list[Managed]:
    """All that the server should have, by path. Raises ValueError when two providers want the same path."""
    items = sorted((item for provider in _providers for item in provider(server)), key=lambda item: item.path)
    for one, other in pairwise(items):
        if one.path == other.path:
            raise ValueError(f"{one.path} is managed twice")
    return items
