"""Where repositories are: one has several addresses, by the ways to reach it."""

from urllib.parse import urlsplit

_DEFAULT_PORTS = {"https": 443, "ssh": 22, "git": 9418}
Place = tuple[str, int | None, str]


def place_of(url: str) -> Place | None:
    """The host, the port if it is not the scheme's own, and the path, the same for `https://host/path.git` and
    `git@host:path`; None for what is no address. Git providers tell no upper case from lower case in names."""
    if "://" not in url:
        host, _, path = url.rpartition("@")[2].partition(":")
        return _place(host, None, path)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    return _place(parts.hostname or "", None if port == _DEFAULT_PORTS.get(parts.scheme) else port, parts.path)


def _place(host: str, port: int | None, path: str) -> Place | None:
    path = path.strip("/").casefold().removesuffix(".git")
    return (host.lower(), port, path) if host and path else None
