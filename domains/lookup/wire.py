"""Questions to one name server, and what went wrong said in words. Everything of `lookup` goes out through here."""

import errno
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import TypeVar

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdata
import dns.rdatatype
from dns.rdtypes.ANY.CNAME import CNAME
from dns.rdtypes.ANY.NS import NS
from dns.rdtypes.ANY.TXT import TXT

from deploynix.dry_run import is_dry_run
from deploynix.errors import Error
from deploynix.guard import RefusedAddress, RefusedInDryRun, is_open
from providers.contracts.zone_file import plain_name

PORT = 53
UDP_SECONDS, TCP_SECONDS = 2.0, 3.0
MOST_AT_ONCE = 16
ANSWERED = (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)
# The machine itself has no way there.
NO_ROUTE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
TAKE_OUT = "or take it out of the domain's name servers"
T = TypeVar("T")


class LookupFailed(Error):
    """A name server, or a resolver, did not answer what was asked."""

    status = 502
    code = "lookup_failed"


class NoRoute(LookupFailed):
    """The server may be well: this machine cannot send anything there."""


class NoSuchDomain(LookupFailed):
    """Nobody has registered the domain, or it has no name servers; or the text is no domain name."""

    status = 422
    code = "no_such_domain"


def require_live(name: str) -> None:
    """Raises RefusedInDryRun. To be called before there are threads, which know nothing of a dry run."""
    if is_dry_run():
        raise RefusedInDryRun(name)


def parsed(name: str) -> dns.name.Name:
    """Raises NoSuchDomain."""
    try:
        return dns.name.from_text(plain_name(name))
    except (dns.exception.DNSException, UnicodeError):
        raise NoSuchDomain(f"{name} is no domain name.") from None


def plain(name: dns.name.Name) -> str:
    return plain_name(name.to_text())


def at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    """What they return, in the same order. A call must not touch the database: each thread would have its own."""
    if not calls:
        return []
    with ThreadPoolExecutor(min(len(calls), MOST_AT_ONCE)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def exchange(question: dns.message.Message, address: str) -> dns.message.Message:
    """The answer over UDP, or over TCP where that one did not come whole. Raises OSError and DNSException."""
    try:
        # Whatever else arrives at the port is no answer to this question.
        answer = dns.query.udp(question, address, UDP_SECONDS, PORT, ignore_unexpected=True, ignore_errors=True)
    except dns.exception.Timeout:
        pass
    else:
        if not answer.flags & dns.flags.TC:
            return answer
    return dns.query.tcp(question, address, TCP_SECONDS, PORT)


def ask_server(server: str, address: str, name: dns.name.Name, type: str) -> dns.message.Message:  # noqa: A002
    """What a domain's name server answers, be it that somebody else is responsible. Raises LookupFailed and
    RefusedAddress."""
    if not is_open(ip_address(address)):
        raise RefusedAddress(server, ip_address(address))
    shown = f"{server} ({address})"
    try:
        answer = exchange(dns.message.make_query(name, type, flags=0), address)
    except dns.exception.Timeout:
        raise LookupFailed(f"{shown} does not answer on port 53.", f"Check that it runs, {TAKE_OUT}.") from None
    except OSError as error:
        raise _unreachable(shown, error) from None
    except (EOFError, ValueError, dns.exception.DNSException):
        raise LookupFailed(f"{shown} answers something that is no DNS.", f"Look at its log, {TAKE_OUT}.") from None
    code = answer.rcode()
    if code in ANSWERED:
        return answer
    hint = "Add the zone there" if code == dns.rcode.REFUSED else "Look at its log"
    raise LookupFailed(f"{shown} answers {dns.rcode.to_text(code)} for {plain(name)}.", f"{hint}, {TAKE_OUT}.")


def ask_authority(server: str, address: str, name: dns.name.Name, type: str) -> dns.message.Message:  # noqa: A002
    """As `ask_server`, and raises LookupFailed where the server is not responsible for the name."""
    answer = ask_server(server, address, name, type)
    if not answer.flags & dns.flags.AA:
        message = (
            f"{server} ({address}) does not hold the zone of {plain(name)}, though it is named as its name server."
        )
        raise LookupFailed(message, f"Add the zone there, {TAKE_OUT}.")
    return answer


def values_of(answer: dns.message.Message, name: dns.name.Name, type: str) -> tuple[tuple[str, ...], int]:  # noqa: A002
    """Those of the name itself, sorted (TXT without quotes, names without the last dot), and their TTL in seconds."""
    wanted = (name, dns.rdatatype.from_text(type))
    found = next((rows for rows in answer.answer if (rows.name, rows.rdtype) == wanted), None)
    return (tuple(sorted(map(_value, found))), found.ttl) if found else ((), 0)


def _value(row: dns.rdata.Rdata) -> str:
    if isinstance(row, TXT):
        return b"".join(row.strings).decode(errors="backslashreplace")
    return plain(row.target) if isinstance(row, CNAME | NS) else row.to_text()


def _unreachable(shown: str, error: OSError) -> LookupFailed:
    if error.errno in NO_ROUTE:
        return NoRoute(
            f"{shown} cannot be reached from this machine: {error.strerror}.", "Give this machine a way there."
        )
    return LookupFailed(
        f"{shown} takes no questions on port 53: {error.strerror or error}.", f"Check that it runs, {TAKE_OUT}."
    )
