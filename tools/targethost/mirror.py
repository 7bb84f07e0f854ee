"""Which Debian mirror this machine uses: asked from apt, so that a lab works wherever apt does."""

import functools
from dataclasses import dataclass
from urllib.parse import urlsplit

from tools.targethost.process import LabError, run


@dataclass(frozen=True)
class Mirror:
    """URLs of the two archives, without a slash at the end."""

    archive: str
    security: str

    def sources(self, suite: str) -> list[str]:
        """Lines for sources.list: what the hosts ask for, in plain HTTP so that the proxy can answer."""
        archive, security = seen_by_hosts(self.archive), seen_by_hosts(self.security)
        return [
            f"deb http://{archive} {suite} main",
            f"deb http://{archive} {suite}-updates main",
            f"deb http://{security} {suite}-security main",
        ]


def seen_by_hosts(url: str) -> str:
    """Host name, port and path of a mirror's URL; a password in it stays on this machine."""
    parts = urlsplit(url)
    return f"{parts.netloc.rpartition('@')[2]}{parts.path}"


@functools.cache
def own_mirror() -> Mirror:
    """The mirror in this machine's own apt sources."""
    only = ("Created-By: Packages", "Origin: Debian")
    lines = run("apt-get", "indextargets", "--format", "$(SITE) $(LABEL)", *only).splitlines()
    sites = {label: site for site, label in (line.split(" ", 1) for line in reversed(lines))}
    try:
        return Mirror(sites["Debian"].rstrip("/"), sites["Debian-Security"].rstrip("/"))
    except KeyError as missing:
        raise LabError(
            f"apt knows no archive labelled {missing}: add it to its sources, then run `apt-get update`"
        ) from None


def date_policy() -> str:
    """This machine's own apt settings on how old a mirror may be, for the hosts to follow."""
    return run("apt-config", "dump", "Acquire::Check-Valid-Until", "Acquire::Check-Date")
