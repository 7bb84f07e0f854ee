"""Reads the environment. Each variable may also be given as NAME_FILE, the path of a file that holds it."""

import os
import re
import secrets
import ssl
from collections.abc import Callable, Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
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


def certificates(name: str) -> str:
    """The path of a file of certificates in PEM; empty without one."""
    path = os.environ.get(name, "")
    try:
        if path:
            ssl.create_default_context().load_verify_locations(path)
    except OSError as error:
        raise ImproperlyConfigured(f"{name} is {path!r}, which is no file of certificates in PEM.") from error
    return path


def hosts(name: str) -> list[str]:
    """A comma-separated list of IP addresses."""
    found = items(name)
    for item in found:
        try:
            ip_address(item)
        except ValueError as error:
            raise ImproperlyConfigured(
                f"{name} holds {item!r}: write an address as 192.0.2.53 or 2001:db8::53."
            ) from error
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
    return _kept(folder / name.lower(), _new_fernet_key if fernet else _new_secret)


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


def pem(name: str, *, production: bool, folder: Path) -> str:
    """An RSA private key in PEM, in the same way."""
    value = text(name)
    if value:
        _refuse_no_key(name, value)
        return value
    if production:
        raise ImproperlyConfigured(
            f"{name} is not set. Make a key with: openssl genrsa 2048, and set {name}_FILE to the path of its file."
        )
    return _kept(folder / name.lower(), _new_key)


def _refuse_no_key(name: str, value: str) -> None:
    try:
        key = load_pem_private_key(value.encode(), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise ImproperlyConfigured(f"{name} is no RSA private key in PEM. Make one with: openssl genrsa 2048")


def _new_key() -> str:
    key = generate_private_key(65537, 2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _new_secret() -> str:
    return secrets.token_urlsafe(48)


def _new_fernet_key() -> str:
    return Fernet.generate_key().decode()


def _kept(path: Path, make: Callable[[], str]) -> str:
    if path.exists():
        return path.read_text().strip()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    value = make()
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
