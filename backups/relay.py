"""A way to the store for a server that does not get there by itself: over the worker, byte by byte."""

from contextlib import AbstractContextManager
from functools import partial

from deploynix.guard import open_connection
from servers.ssh import Listener, Target, listen

CONNECT_SECONDS = 10.0


def relay(target: Target, host: str, port: int) -> AbstractContextManager[Listener]:
    """A port on the server's loopback that leads to the store, and nowhere else, while the block runs.

    Raises what `listen` raises. A store that must not be reached refuses each connection.
    """
    return listen(target, partial(open_connection, host, port, CONNECT_SECONDS, None))
