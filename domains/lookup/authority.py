"""Who is responsible for a name: its zone, and the servers of that zone with their addresses."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial

import dns.flags
import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype
from publicsuffixlist import PublicSuffixList

from deploynix.errors import Error
from domains.lookup.resolvers import resolve
from domains.lookup.wire import LookupFailed, NoSuchDomain, ask_server, at_once, parsed, plain, require_live

# More than anybody has: whoever names hundreds wants to keep us busy.
MOST_SERVERS, MOST_ADDRESSES = 32, 8
# Of an answer's sections.
Rows = Iterable[dns.rrset.RRset]


@dataclass(frozen=True, slots=True)
class NameServer:
    """Its addresses, those of IPv4 first; without any, `error` says why."""

    name: str
    addresses: tuple[str, ...]
    error: str = ""


@dataclass(frozen=True, slots=True)
class Authority:
    """`zone` is the apex of the zone that holds a name; `servers` are sorted by name."""

    zone: str
    servers: tuple[NameServer, ...]


def authority_of(name: str) -> Authority:
    """Raises NoSuchDomain where nobody has registered the domain, LookupFailed, and Refused in a dry run.

    Where the resolvers fail at the domain, its delegation is read from the servers above: so it can be said which
    of the domain's own name servers is at fault, and how.
    """
    require_live(name)
    wanted = parsed(name)
    zone, failure = _nearest_zone(wanted)
    found = _authority(zone, _targets(resolve(zone, "NS").answer, zone), {}) if zone else None
    if found and failure:
        found = _delegated(found, wanted)
    if found and not _suffixes().is_public(found.zone):
        return found
    raise failure or NoSuchDomain(
        f"{plain(wanted)} belongs to no domain that has name servers.",
        "Check its spelling, and at the registrar that the domain is registered and has name servers.",
    )


def _nearest_zone(wanted: dns.name.Name) -> tuple[dns.name.Name | None, LookupFailed | None]:
    """The nearest one that the resolvers know, and how they failed at a nearer one."""
    failure = None
    for name in _upwards(wanted):
        try:
            if zone := _zone_in(resolve(name, "SOA"), name):
                return zone, failure
        except LookupFailed as error:
            failure = failure or error
    return None, failure


def _upwards(name: dns.name.Name) -> Iterator[dns.name.Name]:
    while name != dns.name.root:
        yield name
        name = name.parent()


def _zone_in(answer: dns.message.Message, name: dns.name.Name) -> dns.name.Name | None:
    """The apex as an answer about the SOA tells it, also one that there is none (RFC 2308, section 2)."""
    if any(rows.name == name and rows.rdtype == dns.rdatatype.SOA for rows in answer.answer):
        return name
    if answer.answer:
        # An alias: what stands below is about the name that it leads to.
        return None
    owners = [rows.name for rows in answer.authority if rows.rdtype == dns.rdatatype.SOA]
    return next((owner for owner in owners if owner != dns.name.root and name.is_subdomain(owner)), None)


@cache
def _suffixes() -> PublicSuffixList:
    """Under which people register domains; a top level that is nowhere but in one's own network is none."""
    return PublicSuffixList(only_icann=True, accept_unknown=False)


def _targets(section: Rows, zone: dns.name.Name) -> list[dns.name.Name]:
    wanted = (zone, dns.rdatatype.NS)
    return sorted(row.target for rows in section if (rows.name, rows.rdtype) == wanted for row in rows)


def _authority(
    zone: dns.name.Name, targets: Sequence[dns.name.Name], glue: Mapping[dns.name.Name, tuple[str, ...]]
) -> Authority:
    if not targets:
        raise LookupFailed(f"{plain(zone)} has no name servers.", "Name some at its registrar.")
    if len(targets) > MOST_SERVERS:
        raise LookupFailed(f"{plain(zone)} has {len(targets)} name servers.", f"Name at most {MOST_SERVERS}.")
    return Authority(
        plain(zone), tuple(at_once([partial(_server, target, glue.get(target, ())) for target in targets]))
    )


def _server(name: dns.name.Name, glue: tuple[str, ...]) -> NameServer:
    found, failure = list(glue), ""
    for type_ in () if glue else ("A", "AAAA"):
        try:
            found += _addresses(resolve(name, type_).answer)
        except LookupFailed as error:
            failure = error.message
    if found:
        return NameServer(plain(name), tuple(found[:MOST_ADDRESSES]))
    return NameServer(plain(name), (), failure or f"{plain(name)} is a name server without an address.")


def _addresses(section: Rows, name: dns.name.Name | None = None) -> list[str]:
    """IPv4 first; of one name, where it is given."""
    types = (dns.rdatatype.A, dns.rdatatype.AAAA)
    rows = [rows for rows in section if rows.rdtype in types and name in (None, rows.name)]
    return [row.address for each in sorted(rows, key=lambda each: each.rdtype) for row in each]


def _delegated(above: Authority, wanted: dns.name.Name) -> Authority:
    """Follows the delegations down to the name. Each leads further down, so there is an end."""
    while found := _referral(above, wanted):
        above = found
    return above


def _referral(above: Authority, wanted: dns.name.Name) -> Authority | None:
    """What the first server that answers names as the zone below, and None where it names none."""
    for server in above.servers:
        for address in server.addresses:
            try:
                answer = ask_server(server.name, address, wanted, "NS")
            except Error:
                continue
            return _below(answer, dns.name.from_text(above.zone), wanted)
    return None


def _below(answer: dns.message.Message, zone: dns.name.Name, wanted: dns.name.Name) -> Authority | None:
    if answer.flags & dns.flags.AA:
        return None
    for rows in answer.authority:
        if rows.rdtype == dns.rdatatype.NS and rows.name != zone and _is_between(zone, rows.name, wanted):
            targets = _targets(answer.authority, rows.name)
            return _authority(
                rows.name, targets, {target: tuple(_addresses(answer.additional, target)) for target in targets}
            )
    return None


def _is_between(zone: dns.name.Name, cut: dns.name.Name, wanted: dns.name.Name) -> bool:
    return cut.is_subdomain(zone) and wanted.is_subdomain(cut)
