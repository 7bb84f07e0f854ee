"""Name servers that take dynamic updates (RFC 2136), signed by a shared key (TSIG, RFC 8945): BIND, Knot, PowerDNS."""

import binascii
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from socket import socket

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.tsig
import dns.update
import dns.xfr
import dns.zone
from dns.rdtypes.ANY.TXT import TXT

from deploynix.guard import open_connection
from providers.base import Field, Findings, Permission, PermissionCheck, Verdict
from providers.clients import transfer
from providers.contracts.dns import EDIT, READ, TYPES, DnsProvider, Record, Zone
from providers.contracts.zone_file import to_zone_file
from providers.errors import Conflict, InvalidCredential, MissingPermission, NotFound, ProviderError, Unavailable

TRANSFER = "transfer"
# What servers answer to a key that may not transfer a zone, each in its way.
NO_TRANSFER = {dns.rcode.REFUSED, dns.rcode.NOTAUTH, dns.rcode.NOTIMP}
LET_TRANSFER = "Let the key transfer the zone; in BIND: allow-transfer { key deploynix; };"
CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 20.0
ALGORITHMS = ("hmac-sha256", "hmac-sha384", "hmac-sha512", "hmac-sha224", "hmac-sha1")


class Rfc2136(DnsProvider):
    key = "rfc2136"
    label = "DNS server (RFC 2136)"
    credential = "TSIG key"
    fields = (
        Field("server", "Server", help_text="Name or address of the primary name server."),
        Field("port", "Port", default="53", pattern="[1-9][0-9]{0,4}"),
        Field("zone", "Zones", help_text="The zones that the key may change, separated by spaces."),
        Field("key_name", "Key name", changes_with_secret=True, help_text="As in the server's configuration."),
        Field("key_secret", "Key secret", secret=True, help_text="In Base64, as tsig-keygen writes it."),
        Field(
            "key_algorithm",
            "Key algorithm",
            choices=[(algorithm, algorithm) for algorithm in ALGORITHMS],
            default=ALGORITHMS[0],
            changes_with_secret=True,
        ),
    )
    permissions = (
        Permission(READ, "Queries, signed by the key", "Finds the zone, and the values that a name has already."),
        Permission(EDIT, "Updates of TXT records, signed by the key", "Makes those that prove the domain is yours."),
        Permission(TRANSFER, "Zone transfers, signed by the key", "Lists the records of a zone.", optional=True),
    )
    used_for = (
        "Find the zone of a domain",
        "Make and remove TXT records for DNS-01 challenges",
        "Show the records of its zones, and add and remove some",
    )
    steps = (
        "On the name server make a key: tsig-keygen -a hmac-sha256 deploynix.",
        "Put what it writes into the server's configuration.",
        "Let the key change the zone; in BIND: update-policy { grant deploynix. zonesub TXT; };",
        "Reload the server, and enter the key's name and secret here.",
    )
    gates = ("The server must take TCP connections from this Deploynix server: updates go there, not to a secondary.",)
    notes = (
        "To limit the key to challenges, grant it only the names _acme-challenge and _deploynix-probe.",
        "A server on a private network must be opened by the operator of this install (OUTBOUND_ALLOW).",
    )

    @property
    def probe_zone(self) -> str:
        return next(iter(self._names), "")

    def zones(self) -> Iterable[Zone]:
        return [Zone(name, name) for name in self._names]

    def zone_named(self, name: str) -> Zone | None:
        if name not in self._names:
            return None
        answer = self._query(name, "SOA")
        return Zone(name, name) if answer.get_rrset(answer.answer, _name(name), *_SOA) else None

    def all_records(self, zone: Zone) -> Iterable[Record]:
        """Of a transfer of the zone. Raises MissingPermission where the server does not let the key have one."""
        copy = dns.zone.Zone(_name(zone.name), relativize=False)
        with dns.xfr.Inbound(copy) as inbound:
            self._transfer(zone, inbound.process_message)
        return [
            Record(name.to_text(), row.rdtype.name, _plain(row), ttl, row.to_text())
            for name, ttl, row in copy.iterate_rdatas()
            if dns.rdatatype.to_text(row.rdtype) in TYPES
        ]

    def records(self, zone: Zone, name: str, type: str) -> Sequence[Record]:  # noqa: A002 -- its name in DNS
        answer = self._query(name, type)
        found = answer.get_rrset(answer.answer, _name(name), dns.rdataclass.IN, dns.rdatatype.from_text(type))
        return [Record(name, type, _plain(each), found.ttl, each.to_text()) for each in found] if found else []

    def put_value(self, zone: Zone, name: str, type: str, value: str, ttl: int) -> None:  # noqa: A002
        found = self.records(zone, name, type)
        if any(record.value == value for record in found):
            return
        change = self._update(zone)
        # A CNAME would take the place of another one, and one that does not fit is left out without a word.
        if type == "CNAME":
            change.absent(_name(name))
        else:
            change.absent(_name(name), "CNAME")
        # All values of a name have one TTL: that of the neighbours stays.
        change.add(_name(name), found[0].ttl if found else ttl, _rdata(type, to_zone_file(type, value)))
        self._send(change, EDIT)

    def take_value(self, zone: Zone, name: str, type: str, value: str) -> None:  # noqa: A002
        for record in self.records(zone, name, type):
            if record.value == value:
                change = self._update(zone)
                # As it stands there: a text may be cut into strings in many ways, each of which is another value.
                change.delete(_name(name), _rdata(type, record.id))
                self._send(change, EDIT)

    def verify(self) -> Findings:
        findings = super().verify()
        return replace(findings, checks=(*findings.checks, self._transfer_check()))

    def _transfer_check(self) -> PermissionCheck:
        """By the beginning of a transfer."""
        name = self.probe_zone
        try:
            self._transfer(Zone(name, name), lambda message: message.had_tsig)
        except ProviderError as error:
            return PermissionCheck(TRANSFER, Verdict.DENIED, error.message, LET_TRANSFER)
        return PermissionCheck(TRANSFER, Verdict.GRANTED, f"A transfer of {name} began.")

    @property
    def _names(self) -> list[str]:
        return [name.rstrip(".").lower() for name in self.values["zone"].replace(",", " ").split()]

    @property
    def _key(self) -> dns.tsig.Key:
        algorithm = self.values.get("key_algorithm") or ALGORITHMS[0]
        try:
            # By itself dnspython passes over what is no Base64.
            secret = b64decode(self.values["key_secret"], validate=True)
            return dns.tsig.Key(self.values["key_name"], secret, algorithm)
        except (binascii.Error, ValueError, dns.exception.DNSException):
            raise InvalidCredential("The key's name or secret is malformed.", "Copy both from tsig-keygen.") from None

    def _query(self, name: str, type: str) -> dns.message.Message:  # noqa: A002
        """An authoritative answer, or that there is none."""
        question = dns.message.make_query(_name(name), type, flags=0)
        question.use_tsig(self._key)
        answer = self._send(question, READ)
        if not answer.flags & dns.flags.AA:
            raise NotFound(f"{self._server} is not responsible for {name}.", "Give the zone's primary name server.")
        return answer

    def _update(self, zone: Zone) -> dns.update.UpdateMessage:
        return dns.update.UpdateMessage(_name(zone.name), keyring=self._key)

    def _transfer(self, zone: Zone, is_enough: Callable[[dns.message.Message], bool]) -> None:
        """Hands on the messages of a transfer, until it is enough."""
        question = dns.message.make_query(_name(zone.name), dns.rdatatype.AXFR, flags=0)
        question.use_tsig(self._key)
        with self._connected() as connection:
            for message in transfer.messages(connection, question):
                if (code := message.rcode()) in NO_TRANSFER:
                    said = f"{self._server} answered {dns.rcode.to_text(code)} to a transfer of {zone.name}."
                    raise MissingPermission(TRANSFER, said, LET_TRANSFER)
                if is_enough(self._checked(message, TRANSFER)):
                    return

    def _send(self, question: dns.message.Message, permission: str) -> dns.message.Message:
        """The signed answer. Raises ProviderError, and Refused."""
        with self._connected() as connection:
            connection.setblocking(False)
            answer = dns.query.tcp(question, "", ANSWER_SECONDS, sock=connection)
        return self._checked(answer, permission)

    @contextmanager
    def _connected(self) -> Iterator[socket]:
        """What fails inside is told as a ProviderError."""
        try:
            with open_connection(self._server, int(self.values.get("port") or 53), CONNECT_SECONDS, None) as connection:
                yield connection
        except (dns.tsig.PeerBadKey, dns.tsig.PeerBadSignature) as error:
            raise InvalidCredential(
                f"{self._server} knows no such key ({type(error).__name__}).",
                "Compare the key's name, algorithm and secret with the server's configuration.",
            ) from None
        except dns.tsig.PeerBadTime:
            raise ProviderError(
                f"The clocks here and at {self._server} differ by minutes.", "Set them by NTP."
            ) from None
        except (OSError, EOFError, ValueError, OverflowError, dns.exception.Timeout):
            raise Unavailable(
                f"{self._server} cannot be reached on TCP port {self.values.get('port') or 53}."
            ) from None
        # Among them an answer without a signature: anybody on the way could have written it.
        except dns.exception.DNSException as error:
            raise Unavailable(f"{self._server} answered something that cannot be used: {error}.") from None

    def _checked(self, answer: dns.message.Message, permission: str) -> dns.message.Message:
        code, said = answer.rcode(), f"{self._server} answered {dns.rcode.to_text(answer.rcode())}."
        if code in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            return answer
        if code == dns.rcode.REFUSED:
            labels = {declared.key: declared.label for declared in self.permissions}
            raise MissingPermission(
                permission, said, f"Allow the key in the server's configuration: {labels[permission]}."
            )
        if code in (dns.rcode.NOTAUTH, dns.rcode.NOTZONE):
            raise NotFound(said, "Give the zone's primary name server, and the zone as it is called there.")
        if code in (dns.rcode.YXDOMAIN, dns.rcode.YXRRSET):
            raise Conflict(
                f"{said} The name has other records.", "An alias (CNAME) stands alone: remove the others first."
            )
        if code == dns.rcode.SERVFAIL:
            raise Unavailable(said)
        raise ProviderError(said, "Look at the server's log.")

    @property
    def _server(self) -> str:
        return self.values["server"]


_SOA = (dns.rdataclass.IN, dns.rdatatype.SOA)


def _name(text: str) -> dns.name.Name:
    try:
        return dns.name.from_text(text)
    except dns.exception.DNSException:
        raise ProviderError(f"{text} is no domain name.") from None


def _rdata(type: str, row: str) -> dns.rdata.Rdata:  # noqa: A002
    """Of a row as a zone file has it."""
    try:
        return dns.rdata.from_text("IN", type, row)
    except dns.exception.DNSException:
        raise ProviderError(f"{row} is no value of a record of type {type}.") from None


def _plain(row: dns.rdata.Rdata) -> str:
    return b"".join(row.strings).decode(errors="surrogateescape") if isinstance(row, TXT) else row.to_text()
