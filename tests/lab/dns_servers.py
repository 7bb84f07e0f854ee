"""BIND and PowerDNS, started by the tests; what they serve is changed and read by DNS itself."""

import sqlite3
import subprocess
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.tsig
import dns.update
import dns.xfr
import dns.zone
from dns.rdtypes.ANY.NS import NS
from dns.rdtypes.ANY.TXT import TXT

from tests.contract.state import DnsState, Row
from tests.peers import Command, Missing, Peer
from tools.ports import free_port, listens

ZONES = ("example.com", "shop.example.com")
SECRETS = {
    "deploynix": "ZGVwbG95bml4LXNlY3JldC1vZi0zMi1ieXRlcy1sb25n",
    "admin": "YWRtaW4tc2VjcmV0LW9mLXRoaXJ0eS10d28tYnl0ZXMhIQ==",
    "reader": "cmVhZGVyLXNlY3JldC1vZi10aGlydHktdHdvLWJ5dGVzISE=",
    "stranger": "c3RyYW5nZXItc2VjcmV0LW9mLXRoaXJ0eS10d28tYnl0ZXM=",
}
ZONE_FILE = """$TTL 300
@ SOA ns1 hostmaster 1 3600 600 86400 0
@ NS ns1
ns1 A {address}
"""
PDNS_SCHEMAS = (
    Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql"),
    Path("/usr/share/doc/pdns-backend-sqlite3/schema.sqlite3.sql"),
)


class DnsServer(Peer):
    """Answers at `address` and `port`; whoever has `key` may change and copy its zones."""

    key: dns.tsig.Key | None = None
    package: str

    def __init__(self, address: str = "127.0.0.1", port: int = 0, zones: Sequence[str] = ZONES) -> None:
        if not self.program.exists():
            raise Missing(f"{self.program} is not installed: apt-get install {self.package}")
        super().__init__()
        self.address, self.port, self.zones = address, port or self.port, zones
        self.configure()

    @property
    @abstractmethod
    def program(self) -> Path: ...

    @abstractmethod
    def configure(self) -> None:
        """Writes what the server reads when it starts."""

    def answers(self) -> bool:
        question = dns.message.make_query("example.com", "SOA")
        try:
            answer = dns.query.tcp(question, self.address, timeout=1, port=self.port)
        except (OSError, dns.exception.DNSException):
            return False
        return answer.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN, dns.rcode.REFUSED)


class Bind(DnsServer):
    """Key `deploynix` may change four types of records and transfer zones, `reader` only read, `stranger` nothing."""

    package = "bind9"
    program = Path("/usr/sbin/named")
    key = dns.tsig.Key("admin", SECRETS["admin"], "hmac-sha256")

    def command(self) -> Command:
        return [self.program, "-g", "-c", self.folder / "named.conf"]

    def configure(self) -> None:
        keys = "".join(
            f'key "{name}" {{ algorithm hmac-sha256; secret "{secret}"; }};\n' for name, secret in SECRETS.items()
        )
        (self.folder / "named.conf").write_text(
            f'options {{ directory "{self.folder}"; pid-file "{self.folder}/named.pid"; '
            f'session-keyfile "{self.folder}/session.key"; listen-on port {self.port} {{ {self.address}; }}; '
            f"listen-on-v6 {{ none; }}; dnssec-validation no; empty-zones-enable no; {self.options()} }};\n"
            f"controls {{ }};\n{keys}{''.join(map(self.declared, self.zones))}"
        )

    def options(self) -> str:
        return "recursion no; notify no; allow-transfer { key admin; key deploynix; };"

    def declared(self, zone: str) -> str:
        """What the configuration says of a zone."""
        (self.folder / f"{zone}.zone").write_text(ZONE_FILE.format(address=self.address))
        policy = "grant deploynix zonesub TXT A AAAA CNAME; grant admin zonesub ANY;"
        allowed = f"allow-query {{ !key stranger; any; }}; update-policy {{ {policy} }};"
        return f'zone "{zone}" {{ type primary; file "{zone}.zone"; {allowed} }};\n'

    def values(self, key: str = "deploynix", **other: str) -> Mapping[str, str]:
        """The credential of one of the keys."""
        return {
            "server": self.address,
            "port": str(self.port),
            "zone": " ".join(self.zones),
            "key_name": key,
            "key_secret": SECRETS[key],
            "key_algorithm": "hmac-sha256",
            **other,
        }


class Secondary(Bind):
    """Copies its zones when it starts, and then only when it is told to: it lags behind."""

    def __init__(self, address: str, primary: Bind, zones: Sequence[str]) -> None:
        self._primary = primary
        super().__init__(address, primary.port, zones)

    def declared(self, zone: str) -> str:
        primary = f"{self._primary.address} port {self._primary.port} key admin"
        return f'zone "{zone}" {{ type secondary; file "{zone}.copy"; primaries {{ {primary}; }}; }};\n'

    def has_copied(self) -> bool:
        """Whether it serves the first of its zones."""
        answer = dns.query.udp(dns.message.make_query(self.zones[0], "SOA"), self.address, timeout=5, port=self.port)
        return bool(answer.answer)

    def catch_up(self, zone: str) -> None:
        """Tells it that the zone has changed (RFC 1996); it fetches the changes within a second."""
        told = dns.message.make_query(zone, "SOA")
        told.set_opcode(dns.opcode.NOTIFY)
        told.flags = told.flags & ~dns.flags.RD | dns.flags.AA
        dns.query.udp(told, self.address, timeout=5, port=self.port, source=self._primary.address)


class Resolver(Bind):
    """Looks names up for anybody, beginning at a root of one's own, and remembers answers for so many seconds.

    Zones of these servers let nobody remember what there is not (the last number of their SOA).
    """

    def __init__(self, address: str, root: str, remembers: int = 0) -> None:
        self._root = root
        self._remembers = remembers
        super().__init__(address, 53, ["."])

    def options(self) -> str:
        brief = f"max-cache-ttl {self._remembers}; servfail-ttl 0; resolver-query-timeout 1500;"
        return f"recursion yes; allow-recursion {{ any; }}; minimal-responses yes; {brief}"

    def declared(self, zone: str) -> str:
        (self.folder / "root.hints").write_text(f". 3600 NS ns1.\nns1. 3600 A {self._root}\n")
        return f'zone "{zone}" {{ type hint; file "root.hints"; }};\n'


class PowerDns(DnsServer):
    """With its HTTP API at `api_port`."""

    package = "pdns-server pdns-backend-sqlite3"
    program = Path("/usr/sbin/pdns_server")
    api_key = "pdns-api-key-of-the-tests"

    def command(self) -> Command:
        return [self.program, f"--config-dir={self.folder}"]

    def answers(self) -> bool:
        return super().answers() and listens("127.0.0.1", self.api_port)

    def configure(self) -> None:
        self.api_port = free_port()
        database = self.folder / "zones.sqlite3"
        settings = {
            "launch": "gsqlite3",
            "gsqlite3-database": database,
            "local-address": self.address,
            "local-port": self.port,
            "socket-dir": self.folder,
            "api": "yes",
            "api-key": self.api_key,
            "webserver-address": "127.0.0.1",
            "webserver-port": self.api_port,
            "webserver-allow-from": "127.0.0.1",
            # How the tests change and read the zones without the API.
            "dnsupdate": "yes",
            "allow-dnsupdate-from": "127.0.0.1",
            "allow-axfr-ips": "127.0.0.1",
            # What was changed is seen at once, by resolvers too.
            "default-soa-content": "ns1.@ hostmaster.@ 0 3600 600 86400 0",
            **dict.fromkeys(("cache-ttl", "query-cache-ttl", "negquery-cache-ttl", "zone-cache-refresh-interval"), 0),
        }
        (self.folder / "pdns.conf").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        schema = next(path for path in PDNS_SCHEMAS if path.exists())
        with sqlite3.connect(database) as connection:
            connection.executescript(schema.read_text())
        connection.close()
        for zone in self.zones:
            self._pdnsutil("create-zone", zone, f"ns1.{zone}")
            self._pdnsutil("add-record", zone, "ns1", "A", self.address)

    def _pdnsutil(self, *arguments: str) -> None:
        command = ["pdnsutil", f"--config-dir={self.folder}", *arguments]
        subprocess.run(command, check=True, capture_output=True)

    def values(self, **other: str) -> Mapping[str, str]:
        return {
            "base_url": f"http://127.0.0.1:{self.api_port}",
            "api_key": self.api_key,
            "server_id": "localhost",
            **other,
        }


class Served(DnsState):
    """What a server serves, but for what belongs to the zones themselves."""

    def __init__(self, server: DnsServer) -> None:
        super().__init__(zones=dict.fromkeys(server.zones, ""))
        self._server = server

    def add(self, zone: str, name: str, type: str, value: str, ttl: int = 300) -> Row:  # noqa: A002
        update = dns.update.UpdateMessage(zone, keyring=self._server.key)
        update.add(dns.name.from_text(name), ttl, type, f'"{value}"' if type == "TXT" else value)
        self._send(update)
        return Row("", name, type, value, ttl)

    def drop(self, zone: str, name: str) -> None:
        """Removes all that the name has."""
        update = dns.update.UpdateMessage(zone, keyring=self._server.key)
        update.delete(dns.name.from_text(name))
        self._send(update)

    def found(self, zone: str, name: str = "", type: str = "") -> list[Row]:  # noqa: A002
        return [row for row in self._copied(zone) if name in ("", row.name) and type in ("", row.type)]

    def clear(self) -> None:
        for zone in self._server.zones:
            update = dns.update.UpdateMessage(zone, keyring=self._server.key)
            for row in self.found(zone):
                update.delete(dns.name.from_text(row.name), row.type)
            self._send(update)

    def _send(self, update: dns.update.UpdateMessage) -> None:
        answer = dns.query.tcp(update, self._server.address, timeout=10, port=self._server.port)
        assert answer.rcode() == dns.rcode.NOERROR, dns.rcode.to_text(answer.rcode())

    def _copied(self, origin: str) -> list[Row]:
        zone = dns.zone.Zone(origin, relativize=False)
        question, _ = dns.xfr.make_query(zone, keyring=self._server.key)
        dns.query.inbound_xfr(self._server.address, zone, question, port=self._server.port, timeout=10)
        rows = list(zone.iterate_rdatas())
        servers = {rdata.target for _, _, rdata in rows if isinstance(rdata, NS)}
        apex = dns.name.from_text(origin)
        own = {(apex, dns.rdatatype.SOA), (apex, dns.rdatatype.NS), *((server, dns.rdatatype.A) for server in servers)}
        return [
            Row("", str(name).rstrip("."), dns.rdatatype.to_text(rdata.rdtype), shown(rdata), ttl)
            for name, ttl, rdata in rows
            if (name, rdata.rdtype) not in own
        ]


def shown(rdata: dns.rdata.Rdata) -> str:
    return b"".join(rdata.strings).decode() if isinstance(rdata, TXT) else rdata.to_text()
