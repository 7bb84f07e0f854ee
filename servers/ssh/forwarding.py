"""A port of a server's loopback that leads to somewhere else, over the connection to it."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress

import asyncssh

from deploynix.errors import Error
from servers.ssh import loop, pool
from servers.ssh.commands import WINDOW
from servers.ssh.connecting import Target
from servers.ssh.errors import ConnectionLost

LOOPBACK = "127.0.0.1"
CHUNK = 256 * 1024
Connect = Callable[[], socket.socket]


class Listener:
    """It listens at `port` for as long as `is_open`."""

    def __init__(self, connection: asyncssh.SSHClientConnection, port: int) -> None:
        self._connection = connection
        self.port = port

    @property
    def is_open(self) -> bool:
        return not self._connection.is_closed()


@contextmanager
def listen(target: Target, connect: Connect) -> Iterator[Listener]:
    """Whatever connects to the port, on the server only, is joined with a connection that `connect` makes.

    Leaving the block closes the port. A lost connection does too: that shows in `is_open`. Raises what connecting
    raises, and ConnectionLost where the server does not allow it.
    """
    stack = AsyncExitStack()
    try:
        yield loop.wait(_listen(stack, target, connect))
    finally:
        loop.wait(stack.aclose())


async def _listen(stack: AsyncExitStack, target: Target, connect: Connect) -> Listener:
    connection = await stack.enter_async_context(pool.borrowed(target))

    def accept(host: str, port: int) -> Callable[..., Awaitable[None]]:
        async def carry(near: asyncssh.SSHReader[bytes], back: asyncssh.SSHWriter[bytes]) -> None:
            await _carry(near, back, connect)

        return carry

    try:
        listener = await connection.start_server(accept, LOOPBACK, 0, encoding=None, window=WINDOW)
    except (OSError, asyncssh.Error) as error:
        raise ConnectionLost(target.host) from error
    stack.callback(listener.close)
    return Listener(connection, listener.get_port())


async def _carry(near: asyncssh.SSHReader[bytes], back: asyncssh.SSHWriter[bytes], connect: Connect) -> None:
    async with AsyncExitStack() as stack:
        stack.callback(back.close)
        # Whoever connected sees a connection that ends at once, and tries again.
        with suppress(OSError, Error, asyncssh.Error):
            far = await asyncio.get_running_loop().run_in_executor(None, connect)
            far.setblocking(False)
            reader, writer = await asyncio.open_connection(sock=far)
            stack.callback(writer.close)
            there = asyncio.create_task(_copy(near, writer))
            stack.callback(there.cancel)
            await _copy(reader, back)


async def _copy(
    source: asyncssh.SSHReader[bytes] | asyncio.StreamReader, target: asyncssh.SSHWriter[bytes] | asyncio.StreamWriter
) -> None:
    with suppress(OSError, asyncssh.Error):
        while chunk := await source.read(CHUNK):
            target.write(chunk)
            await target.drain()
        target.write_eof()
