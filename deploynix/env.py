"""Reads the environment. Each variable may also be given as NAME_FILE, the path of a file that holds it."""

import os
import re
import secrets
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

# What people paste from examples and forget.
DEFAULT_SECRETS = frozenset({"changeme", "change-me", "secret", "insecure", "password", "example", "default"})
SHORTEST_SECRET = 32
ADDRESS = re.compile(r"([a-z0-9:]+)=(https?://[^\s/?#@]+[^\s?#@]*)")


def text(name: str, default: str = "") -> str:
    """The value of NAME, else the content of the file that NAME_FILE points at, else `default`."""
    if name in os.environ:
        return os.environ[name]
    path = os.environ.get(f"{name}_FILE")
    if not path:
        return default
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE points at {path}, which cannot be read: {error.strerror}.") from error


def flag(name: str, default: bool = False) -> bool:
    value = text(name, "1" if default else "0").lower()
    if value not in {"0", "1", "true", "false", "yes", "no", "on", "off", ""}:
        raise ImproperlyConfigured(f"{name} is {value!r}: use 1 or 0.")
    return value in {"1", "true", "yes", "on"}


def number(name: str, default: int) -> int:
    value = text(name, str(default))
    if not value.isdecimal():
        raise ImproperlyConfigured(f"{name} is {value!r}: use a whole number.")
    return int(value)


def items(name: str, default: str = "") -> list[str]:
    """A comma-separated list."""
    return [item.strip() for item in text(name, default).split(",") if item.strip()]


def networks(name: str, default: str = "") -> list[str]:
    """A comma-separated list of networks in CIDR form."""
    found = items(name, default)
    for item in found:
        try:
            ip_network(item)
        except ValueError as error:
            raise ImproperlyConfigured(f"{name} holds {item!r}: write a network as 10.0.0.0/8 or fd00::/8.") from error
    return found


def addresses(name: str) -> Mapping[str, str]:
    """A comma-separated list of `server:hetzner=https://...`, by what stands before the sign; no slash at the end."""
    found = {}
    for item in items(name):
        if not (match := ADDRESS.fullmatch(item)):
            # Somebody may have put a password into the address.
            what = item.partition("=")[0]
            raise ImproperlyConfigured(f"{name} holds {what!r}: write it as server:hetzner=https://proxy.example.com")
        found[match[1]] = match[2].rstrip("/")
    return found


def secret(name: str, *, production: bool, folder: Path, fernet: bool = False) -> str:
    """A secret that production must be given, and that the embedded default makes once and keeps in `folder`."""
    value = text(name)
    if value:
        if production:
            _refuse_weak(name, value)
        if fernet:
            _refuse_malformed(name, value)
        return value
    if production:
        raise ImproperlyConfigured(
            f"{name} is not set. Production needs it: set {name}, or {name}_FILE to the path of a file that holds it."
        )
    return _kept_secret(folder / name.lower(), fernet)


def _refuse_weak(name: str, value: str) -> None:
    known = any(word in value.lower() for word in DEFAULT_SECRETS)
    # An empty place before the last is a pepper that was retired.
    *earlier, newest = (part.strip() for part in value.split(","))
    if known or any(len(part) < SHORTEST_SECRET for part in [*filter(None, earlier), newest]):
        raise ImproperlyConfigured(
            f"{name} is a default or too short ({SHORTEST_SECRET} characters at least). Set a random one of your own."
        )


def _refuse_malformed(name: str, value: str) -> None:
    try:
        for key in value.split(","):
            Fernet(key)
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name} holds a key that is not 32 bytes in URL-safe base64. "
            "Make one with: openssl rand -base64 32 | tr '+/' '-_'"
        ) from error


def _kept_secret(path: Path, fernet: bool) -> str:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    value = Fernet.generate_key().decode() if fernet else secrets.token_urlsafe(48)
    # Several processes may start at once: each writes its own draft, and linking it in place lets the first one win.
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(value)
    try:
        os.link(draft, path)
    except FileExistsError:
        value = path.read_text().strip()
    finally:
        draft.unlink()
    return value
