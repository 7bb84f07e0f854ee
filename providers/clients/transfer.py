"""Transfers of zones: AXFR (RFC 5936), signed by a shared key (RFC 8945)."""

import time
from collections.abc import Iterator
from socket import socket

import dns.exception
import dns.message

# Of a whole transfer, however slowly it comes.
TRANSFER_SECONDS = 60.0
# Bytes: more than any zone has that a person looks after.
LARGEST_TRANSFER = 32 * 1024 * 1024


def messages(connection: socket, question: dns.message.Message) -> Iterator[dns.message.Message]:
    """What a server answers, message by message, for `dns.xfr.Inbound`, which knows the last one.

    Raises OSError, EOFError and DNSException.
    """
    wire, deadline = question.to_wire(), time.monotonic() + TRANSFER_SECONDS
    connection.sendall(len(wire).to_bytes(2) + wire)
    left, signed_so_far = LARGEST_TRANSFER, None
    while left > 0:
        data = received(connection, int.from_bytes(received(connection, 2, deadline)), deadline)
        message = dns.message.from_wire(
            data, keyring=question.keyring, request_mac=question.mac, xfr=True, tsig_ctx=signed_so_far, multi=True
        )
        if message.id != question.id:
            raise dns.exception.FormError("an answer to another question")  # type: ignore[no-untyped-call]
        yield message
        left, signed_so_far = left - len(data), message.tsig_ctx
    raise dns.exception.FormError("the zone is too large")  # type: ignore[no-untyped-call]


def received(connection: socket, size: int, deadline: float) -> bytes:
    parts = list[bytes]()
    while size > 0:
        connection.settimeout(max(deadline - time.monotonic(), 0.001))
        part = connection.recv(size)
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
