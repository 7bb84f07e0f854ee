"""Namecheap, as its documentation and recorded answers describe it: all answers are 200, errors have a number. It knows
no statuses 401, 403 and 429; those are made up."""

from collections.abc import Iterator
from urllib.parse import parse_qsl
from xml.sax.saxutils import quoteattr

from providers.base import Verdict
from providers.contracts.dns import EDIT, READ
from providers.dns.namecheap import Namecheap
from tests.contract.state import DnsState
from tests.contract.vendor import Call, Reply, Vendor

# All records of the domain are written at once.
LAST_WRITER_WINS = True
VALUES = {"api_user": "acme", "api_key": "0123456789abcdef0123456789abcdef", "client_ip": "192.0.2.10"}
ONE_STRING = "acme:0123456789abcdef0123456789abcdef:192.0.2.10"
# A key opens everything.
UNDENIABLE = (READ, EDIT)
EDIT_VERDICT = Verdict.UNTESTABLE


def error(number: str, text: str) -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<ApiResponse Status="ERROR" xmlns="http://api.namecheap.com/xml.response">'
        f'<Errors><Error Number="{number}">{text}</Error></Errors><Warnings /><RequestedCommand /></ApiResponse>'
    )


ERROR = error("1011102", "API Key is invalid or API access has not been enabled")


def ok(command: str, result: str) -> Reply:
    return 200, (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<ApiResponse Status="OK" xmlns="http://api.namecheap.com/xml.response"><Errors /><Warnings />'
        f'<CommandResponse Type="{command}">{result}</CommandResponse></ApiResponse>'
    )


def vendors(state: DnsState) -> list[Vendor]:
    vendor = Vendor(Namecheap.base_url, is_signed)
    commands = {"domains.getList": domains, "domains.dns.getHosts": hosts, "domains.dns.setHosts": replace}
    vendor.on("POST", "", lambda call: commands[form(call)["Command"].removeprefix("namecheap.")](state, form(call)))
    return [vendor]


def form(call: Call) -> dict[str, str]:
    return dict(parse_qsl(call.body if isinstance(call.body, str) else call.body.decode(), strict_parsing=True))


def is_signed(call: Call) -> bool:
    sent = form(call)
    account = tuple(sent[name] for name in ("ApiUser", "UserName", "ApiKey", "ClientIp"))
    return account == ("acme", "acme", VALUES["api_key"], "192.0.2.10") and not call.query


def domains(state: DnsState, sent: dict[str, str]) -> Reply:
    """With one that has its name servers elsewhere."""
    names = [name for name in [*state.zones, "elsewhere.org"] if sent.get("SearchTerm", "") in name]
    page, size = int(sent["Page"]), int(sent["PageSize"])
    shown = "".join(
        f'<Domain ID="1" Name="{name}" User="acme" IsExpired="false" IsOurDNS="{str(name in state.zones).lower()}" />'
        for name in names[(page - 1) * size : page * size]
    )
    paging = f"<TotalItems>{len(names)}</TotalItems><CurrentPage>{page}</CurrentPage><PageSize>{size}</PageSize>"
    return ok(
        "namecheap.domains.getList", f"<DomainGetListResult>{shown}</DomainGetListResult><Paging>{paging}</Paging>"
    )


def zone_of(sent: dict[str, str]) -> str:
    return f"{sent['SLD']}.{sent['TLD']}"


def hosts(state: DnsState, sent: dict[str, str]) -> Reply:
    zone = zone_of(sent)
    if zone not in state.zones:
        return 200, error("2019166", "Domain not found")
    shown = "".join(
        f"<host HostId={quoteattr(row.id)} Name={quoteattr(label(zone, row.name))} Type={quoteattr(row.type)} "
        f'Address={quoteattr(row.value)} MXPref="10" TTL="{row.ttl}" IsActive="true" />'
        for row in state.found(zone)
    )
    attributes = f'Domain="{zone}" EmailType="NONE" IsUsingOurDNS="true"'
    return ok(
        "namecheap.domains.dns.gethosts", f"<DomainDNSGetHostsResult {attributes}>{shown}</DomainDNSGetHostsResult>"
    )


def label(zone: str, name: str) -> str:
    return "@" if name == zone else name.removesuffix(f".{zone}")


def replace(state: DnsState, sent: dict[str, str]) -> Reply:
    zone = zone_of(sent)
    state.rows[zone] = []
    for name, type_, address, ttl in sent_hosts(sent):
        full = zone if name == "@" else f"{name}.{zone}"
        state.add(zone, full, type_, f"{address.rstrip('.')}." if type_ == "CNAME" else address, int(ttl))
    return ok("namecheap.domains.dns.sethosts", f'<DomainDNSSetHostsResult Domain="{zone}" IsSuccess="true" />')


def sent_hosts(sent: dict[str, str]) -> Iterator[tuple[str, str, str, str]]:
    for number in range(1, len(sent)):
        if f"HostName{number}" not in sent:
            return
        name, type_, address, ttl = (sent[f"{key}{number}"] for key in ("HostName", "RecordType", "Address", "TTL"))
        yield name, type_, address, ttl
