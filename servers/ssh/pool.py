"""Connections kept between commands; all of it runs on the event loop."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncssh

from servers.ssh.connecting import Target, connect

# Below the 10 that sshd allows by default (MaxSessions in sshd_config(5)).
CHANNELS = 8
IDLE_SECONDS = 60.0

Login = tuple[str, int, str, str, str | None]


@dataclass(eq=False)
class _Kept:
    connection: asyncssh.SSHClientConnection
    busy: int = 0
    idle_since: float = 0.0


_kept: dict[Login, list[_Kept]] = {}
_connecting: dict[Login, asyncio.Task[None]] = {}


@asynccontextmanager
async def borrowed(target: Target) -> AsyncIterator[asyncssh.SSHClientConnection]:
    """A connection with room for one more channel, kept or new."""
    kept = await _take(target)
    try:
        yield kept.connection
    finally:
        _give_back(target.login, kept)


async def close(login: Login) -> None:
    for kept in _kept.pop(login, []):
        kept.connection.close()
        await kept.connection.wait_closed()


async def _take(target: Target) -> _Kept:
    while True:
        for kept in _alive(target.login):
            if kept.busy < CHANNELS:
                kept.busy += 1
                return kept
        # Everybody who waits for this server shares one attempt, and its error.
        task = _connecting.get(target.login)
        if task is None:
            task = _connecting[target.login] = asyncio.create_task(_open(target))
        await asyncio.shield(task)


async def _open(target: Target) -> None:
    try:
        connection = await connect(target)
        _kept.setdefault(target.login, []).append(_Kept(connection))
    finally:
        del _connecting[target.login]


def _alive(login: Login) -> list[_Kept]:
    alive = [kept for kept in _kept.get(login, []) if not kept.connection.is_closed()]
    if alive:
        _kept[login] = alive
    else:
        _kept.pop(login, None)
    return alive


def _give_back(login: Login, kept: _Kept) -> None:
    kept.busy -= 1
    if kept.busy == 0:
        loop = asyncio.get_running_loop()
        kept.idle_since = loop.time()
        loop.call_later(IDLE_SECONDS, _close_if_idle, login, kept)


def _close_if_idle(login: Login, kept: _Kept) -> None:
    idle_for = asyncio.get_running_loop().time() - kept.idle_since
    if kept.busy == 0 and idle_for >= IDLE_SECONDS - 1:
        kept.connection.close()
        _kept[login] = [other for other in _kept.get(login, []) if other is not kept]
        _alive(login)


def _forget() -> None:
    # Connections belong to the process that made them; a copy of one must never write.
    global _kept, _connecting
    _kept, _connecting = {}, {}


os.register_at_fork(after_in_child=_forget)
