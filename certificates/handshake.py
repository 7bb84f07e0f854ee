"""What a server shows to whoever greets it under a name: a TLS handshake, after which nothing is said.

Nothing is trusted: what is shown is compared with what should be.
"""

import select
import socket
import ssl
import time
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from cryptography import x509
from django.conf import settings

from deploynix.errors import Error
from servers.ssh import check_address

PORT = 443
CONNECT_SECONDS = 5.0
# For all of it: each byte of an answer may come just in time.
HANDSHAKE_SECONDS = 10.0


@dataclass(frozen=True)
class Leaf:
    """The certificate itself. `fingerprint` is the SHA-256 of its DER in small hex digits."""

    fingerprint: str
    not_before: datetime
    not_after: datetime


class HandshakeFailed(Error):
    """The server shows no certificate under this name. It may do so in a moment."""

    code = "handshake_failed"

    def __init__(self, server_name: str, address: str, port: int, reason: str, hint: str) -> None:
        message = f"{address} shows no certificate for {server_name} on port {port}: {reason}."
        super().__init__(message, hint, retryable=True)


def served_fingerprint(address: str, port: int, server_name: str) -> str:
    """Raises what `served_leaf` raises."""
    return served_leaf(address, port, server_name).fingerprint


def served_leaf(address: str, port: int, server_name: str) -> Leaf:
    """What the machine at the address shows to who asks for `server_name` (SNI).

    Raises HandshakeFailed, and Error for an address that no server can have.
    """
    check_address(address, allow_private=settings.SSH_ALLOW_PRIVATE)
    try:
        der = _shown(address, port, server_name)
    except TimeoutError as error:
        hint = "A firewall may be in the way: that of the server's provider has to let port 443 in, too."
        raise HandshakeFailed(server_name, address, port, "it does not answer", hint) from error
    except (OSError, ValueError) as error:
        raise HandshakeFailed(server_name, address, port, _reason(error), "See its nginx log.") from error
    certificate = x509.load_der_x509_certificate(der)
    return Leaf(sha256(der).hexdigest(), certificate.not_valid_before_utc, certificate.not_valid_after_utc)


def _shown(address: str, port: int, server_name: str) -> bytes:
    """The certificate, in DER. Raises OSError, of which TimeoutError and those of TLS are kinds."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((address, port), CONNECT_SECONDS) as plain:
        plain.setblocking(False)
        with context.wrap_socket(plain, server_hostname=server_name, do_handshake_on_connect=False) as secure:
            _shake(secure)
            der = secure.getpeercert(binary_form=True)
    if der is None:
        raise ssl.SSLError("it shows none")
    return der


def _shake(secure: ssl.SSLSocket) -> None:
    end = time.monotonic() + HANDSHAKE_SECONDS
    while (left := end - time.monotonic()) > 0:
        try:
            return secure.do_handshake()
        except ssl.SSLWantReadError:
            select.select([secure], [], [], left)
        except ssl.SSLWantWriteError:
            select.select([], [secure], [], left)
    raise TimeoutError


def _reason(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there"
    if isinstance(error, ssl.SSLError):
        return f"it breaks the handshake off ({error.reason or error})"
    return getattr(error, "strerror", None) or str(error) or "the connection was closed"
