"""Reaching target hosts with the project's own SSH."""

from collections.abc import Iterator
from pathlib import Path

from servers.ssh import Target
from tools.targethost import Host, Lab


def started(lab: Lab, addresses: Iterator[str]) -> Iterator[Host]:
    """A host for a whole module; `yield from` it in a fixture."""
    ip = next(addresses)
    host = lab.start(f"host-{ip.rpartition('.')[2]}", ip)
    yield host
    host.stop()


def target_of(host: Host, username: str = "root") -> Target:
    key = host.private_key_path.read_text()
    return Target(host.ip, 22, username, key, host.host_key, become=username != "root")


def script(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path
