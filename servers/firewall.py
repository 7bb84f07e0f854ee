"""Which ports a server's firewall opens, and who asked for them."""

from collections.abc import Callable, Iterable

from servers.models import Server

Source = Callable[[Server], Iterable[int]]

_sources: list[Source] = []


def register_open_ports(source: Source) -> Source:
    """Registers a function that yields TCP ports of the server that everybody may reach; of use as a decorator."""
    if source not in _sources:
        _sources.append(source)
    return source


def open_ports(server: Server) -> list[int]:
    """SSH and the web, and what other apps need."""
    own = {server.ssh_port, 80, 443}
    return sorted(own.union(*(source(server) for source in _sources)))
