"""Namecheap. https://www.namecheap.com/support/api/methods/

Its setHosts replaces all records of a domain: everything that was read is sent back.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from ipaddress import AddressValueError, IPv4Address
from typing import NoReturn
from xml.etree.ElementTree import Element

from providers.base import (
    DEFAULT_PAUSE,
    Field,
    Findings,
    HttpProvider,
    Permission,
    PermissionCheck,
    Verdict,
    numbered_pages,
)
from providers.clients.xml import parsed
from providers.contracts.dns import EDIT, READ, TYPES, DnsProvider, Record, Zone, only, refuse_second_alias
from providers.contracts.zone_file import plain_value
from providers.errors import (
    Conflict,
    InvalidCredential,
    MissingPermission,
    NotFound,
    ProviderError,
    RateLimited,
    Unavailable,
)

ALLOWLIST = "allowlist"
PER_PAGE = 100
# https://www.namecheap.com/support/api/global-parameters/
ADDRESS_REFUSED = {"1010105", "1011105", "1011150", "1017105", "1017150"}
NOT_OURS = {"2016166", "2019166"}
OTHER_NAMESERVERS = "2030288"
# In no list of the vendor's, but what it answers to too many calls.
TOO_MANY = "500000"
# The types whose value is a name.
TARGETS = {"CNAME", "MX", "NS", "ALIAS"}
Host = Mapping[str, str]
ACCOUNT = {"ApiUser": "api_user", "ApiKey": "api_key", "UserName": "api_user", "ClientIp": "client_ip"}
# A parameter of setHosts, and where getHosts has it.
WRITTEN = {"HostName": "Name", "RecordType": "Type", "Address": "Address", "MXPref": "MXPref", "TTL": "TTL"}


class Namecheap(DnsProvider, HttpProvider):
    key = "namecheap"
    label = "Namecheap"
    last_writer_wins = True
    credential = "API key"
    base_url = "https://api.namecheap.com/xml.response"
    console_url = "https://ap.www.namecheap.com/settings/tools/apiaccess/"
    fields = (
        Field("api_user", "API user", help_text="Your Namecheap user name."),
        Field("api_key", "API key", secret=True),
        Field(
            "client_ip",
            "Client IP",
            pattern=r"\d{1,3}(\.\d{1,3}){3}",
            help_text="The public IPv4 address of this Deploynix server, as it stands in Namecheap's list.",
        ),
    )
    permissions = (
        Permission(ALLOWLIST, "Whitelisted IPs", "Namecheap answers only the addresses on this list."),
        Permission(READ, "API access", "Finds the domain and reads its records."),
        Permission(EDIT, "API access", "Makes the TXT records that prove the domain is yours."),
    )
    used_for = (
        "Find the domain",
        "Make and remove TXT records for DNS-01 challenges",
        "Show the records of its zones, and add and remove some",
    )
    steps = (
        "Sign in to Namecheap and open Profile → Tools → Namecheap API Access → Manage.",
        "Switch API access on, and copy the API key.",
        "Next to Whitelisted IPs choose Edit, and add the public IPv4 address of this Deploynix server.",
        "Enter your user name, the key and that address here.",
    )
    gates = (
        "Namecheap opens its API to accounts with 20 domains, a balance of $50, or $50 spent within two years; ask it.",
        "The address of this server must be on the list of whitelisted IPs. IPv6 and networks cannot be listed.",
        "The domain must use Namecheap's own name servers (BasicDNS or PremiumDNS).",
    )
    notes = (
        "The key opens the whole account: Namecheap knows no narrower one.",
        "A change sends all records of the domain again: do not edit them elsewhere at that moment.",
        "A change takes three calls, and Namecheap counts calls by minute, hour and day.",
    )
    # https://www.namecheap.com/support/api/methods/domains-dns/set-hosts/
    shortest_ttl = 60
    # Each change is read back as it is, and calls are counted.
    doubtful = ()

    @classmethod
    def parse(cls, text: str) -> dict[str, str]:
        """`apiUser:apiKey:clientIp`"""
        parts = text.strip().split(":")
        if len(parts) != 3 or not all(parts):
            raise ValueError("give apiUser:apiKey:clientIp")
        try:
            IPv4Address(parts[2])
        except AddressValueError:
            raise ValueError("clientIp is no IPv4 address") from None
        return dict(zip(("api_user", "api_key", "client_ip"), parts, strict=True))

    def zones(self) -> Iterable[Zone]:
        return numbered_pages(self._page)

    def zone_named(self, name: str) -> Zone | None:
        found = numbered_pages(lambda number: self._page(number, SearchTerm=name))
        return next((zone for zone in found if zone.name == name), None)

    def all_records(self, zone: Zone) -> Iterable[Record]:
        return [
            Record(zone.name_of(host["Name"]), host["Type"], host["Address"], int(host["TTL"]), host["HostId"])
            for host in _hosts(self._settings(zone))
            if host["Type"] in TYPES
        ]

    def records(self, zone: Zone, name: str, type: str) -> Sequence[Record]:  # noqa: A002 -- its name in DNS
        return only(self.all_records(zone), name, type)

    def put_value(self, zone: Zone, name: str, type: str, value: str, ttl: int) -> None:  # noqa: A002
        label = zone.label_of(name) or "@"
        added = {"Name": label, "Type": type, "Address": value, "MXPref": "10", "TTL": str(ttl)}

        def add(hosts: list[Host]) -> list[Host]:
            if any(_is_same(host, added) for host in hosts):
                return hosts
            there = (_value(host) for host in hosts if (host["Name"].lower(), host["Type"]) == (label, type))
            refuse_second_alias(name, type, there)
            return [*hosts, added]

        self._change(zone, add)

    def take_value(self, zone: Zone, name: str, type: str, value: str) -> None:  # noqa: A002
        gone = {"Name": zone.label_of(name) or "@", "Type": type, "Address": value}
        self._change(zone, lambda hosts: [host for host in hosts if not _is_same(host, gone)])

    def verify(self) -> Findings:
        try:
            zone = next(iter(self.zones()), None)
        except MissingPermission as error:
            refused = PermissionCheck(ALLOWLIST, Verdict.DENIED, error.message, error.hint)
            return Findings((refused, *(_unasked(permission) for permission in (READ, EDIT))))
        checks = [
            PermissionCheck(key, Verdict.GRANTED, "domains.getList was answered: OK") for key in (ALLOWLIST, READ)
        ]
        return Findings((*checks, *([self._edit_check(zone)] if zone else self._untested_edit())))

    def _edit_check(self, zone: Zone) -> PermissionCheck:
        """Is not tried on the domain: it would send all its records again, each day."""
        self._settings(zone)
        evidence = f"domains.dns.getHosts of {zone.name} was answered: OK. A key that reads may write as well."
        return PermissionCheck(
            EDIT, Verdict.UNTESTABLE, f"{evidence} It is not tried, since that sends every record anew."
        )

    def _change(self, zone: Zone, change: Callable[[list[Host]], list[Host]]) -> None:
        settings = self._settings(zone)
        before = _hosts(settings)
        after = change(before)
        if after == before:
            return
        self._write(zone, settings, after)
        there = _hosts(self._settings(zone))
        lost = [host for host in before if host in after and not any(_is_same(host, each) for each in there)]
        if lost:
            names = ", ".join(f"{host['Type']} {host['Name']} {host['Address']}" for host in lost)
            raise ProviderError(f"Namecheap dropped records of {zone.name}: {names}.", "Add them again at Namecheap.")

    def _settings(self, zone: Zone) -> Element:
        """The records of the domain, with how its mail is set up. Raises ProviderError unless they are whole."""
        root = self._command("domains.dns.getHosts", **_parts(zone))
        result = root.find("{*}CommandResponse/{*}DomainDNSGetHostsResult")
        if result is None or result.get("Domain", "").lower() != zone.name:
            raise Unavailable(f"Namecheap answered without the records of {zone.name}.")
        if result.get("IsUsingOurDNS", "").lower() != "true":
            raise Conflict(
                f"{zone.name} uses name servers elsewhere.", "Choose Namecheap BasicDNS for it, or its own DNS."
            )
        return result

    def _write(self, zone: Zone, settings: Element, hosts: Sequence[Host]) -> None:
        # Without the kind of mail that was set, the mail records would be dropped.
        mail = {"EmailType": settings.get("EmailType", "")} if settings.get("EmailType") else {}
        rows = {key: value for number, host in enumerate(hosts, 1) for key, value in _numbered(number, host).items()}
        root = self._command("domains.dns.setHosts", **_parts(zone), **mail, **rows)
        result = root.find("{*}CommandResponse/{*}DomainDNSSetHostsResult")
        if result is None or result.get("IsSuccess", "").lower() != "true":
            raise ProviderError(f"Namecheap did not take the records of {zone.name}.", "Look at them at Namecheap.")

    def _page(self, number: int, **search: str) -> tuple[list[Zone], bool]:
        root = self._command("domains.getList", Page=str(number), PageSize=str(PER_PAGE), **search)
        rows = root.findall("{*}CommandResponse/{*}DomainGetListResult/{*}Domain")
        names = [row.get("Name", "").lower() for row in rows if row.get("IsOurDNS", "true").lower() == "true"]
        total = root.findtext("{*}CommandResponse/{*}Paging/{*}TotalItems") or "0"
        return [Zone(name, name) for name in names], number * PER_PAGE >= int(total)

    def _command(self, name: str, **parameters: str) -> Element:
        """By POST, so that the key is in no address that somebody logs."""
        account = {name: self.values[field] for name, field in ACCOUNT.items()}
        answer = self.ask("POST", "", data={**account, "Command": f"namecheap.{name}", **parameters})
        if not answer.is_ok:
            raise self.error_of(answer)
        try:
            root = parsed(answer.body)
        except ValueError:
            root = Element("")
        if root.tag.rpartition("}")[2] != "ApiResponse":
            raise Unavailable("Namecheap answered something that is no XML of its API.")
        if root.get("Status") != "OK":
            self._refuse(root.find("{*}Errors/{*}Error"))
        return root

    def _refuse(self, said: Element | None) -> NoReturn:
        number = said.get("Number", "") if said is not None else ""
        text = self.redacted(" ".join((said.text or "").split()))[:300] if said is not None else "no reason"
        message = f"Namecheap answered {number}: {text}"
        if number in ADDRESS_REFUSED:
            hint = f"Add this server's address to Namecheap's whitelisted IPs; here it is {self.values['client_ip']}."
            raise MissingPermission(ALLOWLIST, message, hint)
        if number == TOO_MANY:
            raise RateLimited(self.label, DEFAULT_PAUSE)
        if number in NOT_OURS:
            raise NotFound(message)
        if number == OTHER_NAMESERVERS:
            raise Conflict(message, "Choose Namecheap BasicDNS for the domain, or use the DNS provider that it has.")
        # The first digit says who is to blame: 1 the account, 2 what was asked for, the others Namecheap.
        if number.startswith("1"):
            raise InvalidCredential(message, "Check that API access is switched on, the user name and the key.")
        raise ProviderError(message) if number.startswith("2") else Unavailable(message)


def _parts(zone: Zone) -> dict[str, str]:
    name, _, ending = zone.name.partition(".")
    return {"SLD": name, "TLD": ending}


def _hosts(settings: Element) -> list[Host]:
    """The documentation writes Host, the API host."""
    return [child.attrib for child in settings if child.tag.rpartition("}")[2].lower() == "host"]


def _numbered(number: int, host: Host) -> dict[str, str]:
    return {f"{parameter}{number}": host[name] for parameter, name in WRITTEN.items()}


def _is_same(one: Host, other: Host) -> bool:
    return (one["Name"].lower(), one["Type"], _value(one)) == (other["Name"].lower(), other["Type"], _value(other))


def _value(host: Host) -> str:
    """Targets of all kinds are written with a last dot or without."""
    return plain_value("CNAME" if host["Type"] in TARGETS else host["Type"], host["Address"])


def _unasked(permission: str) -> PermissionCheck:
    return PermissionCheck(permission, Verdict.UNTESTABLE, "Namecheap does not answer this server's address.")
