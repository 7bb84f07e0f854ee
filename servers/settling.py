"""Bringing a server to what it should be while other jobs change what that is."""

from collections.abc import Iterator

from servers import managed
from servers.converge import Outcome, converge
from servers.managed import Managed
from servers.models import Server
from servers.target import target_of


def settle(server: Server) -> Iterator[tuple[list[Managed], Outcome]]:
    """Applies what the server should have, and again where that has changed meanwhile: whoever changed it may have been
    the first to apply. Each time what was applied, and what that did. Raises as `converge`."""
    applied, items = None, managed.collect(server)
    while items != applied:
        yield items, converge(target_of(server), items)
        applied, items = items, managed.collect(server)
