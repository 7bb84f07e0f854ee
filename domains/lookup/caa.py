"""Which certificate authorities a domain allows: CAA records, RFC 8659."""

from collections.abc import Collection
from dataclasses import dataclass

import dns.name
import dns.rdatatype
from dns.rdtypes.ANY.CAA import CAA

from domains.lookup.resolvers import resolve
from domains.lookup.wire import parsed, plain, require_live

CRITICAL = 128
KNOWN_TAGS = {"issue", "issuewild", "iodef", "contactemail", "contactphone", "issuemail", "issuevmc"}


@dataclass(frozen=True, slots=True)
class Property:
    """One CAA record; its tag in small letters."""

    flags: int
    tag: str
    value: str

    @property
    def issuer(self) -> str:
        """Whom it allows: the domain of a certificate authority, and empty for nobody."""
        return self.value.partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Caa:
    """The records that count for a name, and where they stand: `name` is empty where there are none."""

    name: str = ""
    properties: tuple[Property, ...] = ()

    def allows(self, issuers: Collection[str], *, is_wildcard: bool) -> bool:
        """Whether an authority may issue that goes by these names: `caaIdentities` in its ACME directory."""
        if any(each.flags & CRITICAL and each.tag not in KNOWN_TAGS for each in self.properties):
            return False
        allowed = self._issuers("issuewild") if is_wildcard else []
        allowed = allowed or self._issuers("issue")
        return not allowed or any(issuer.lower() in allowed for issuer in issuers)

    def _issuers(self, tag: str) -> list[str]:
        return [each.issuer for each in self.properties if each.tag == tag]


def caa_of(name: str) -> Caa:
    """Climbs from the name upwards to the first CAA records (section 3). Raises LookupFailed, where an authority
    would refuse to issue, NoSuchDomain for a text that is no name, and Refused in a dry run."""
    require_live(name)
    at = parsed(name.removeprefix("*."))
    while at != dns.name.root:
        if found := _properties(at):
            return Caa(plain(at), found)
        at = at.parent()
    return Caa()


def _properties(name: dns.name.Name) -> tuple[Property, ...]:
    """Of the name, or of the one that it is an alias of."""
    rows = [row for rows in resolve(name, "CAA").answer if rows.rdtype == dns.rdatatype.CAA for row in rows]
    found = [
        Property(row.flags, row.tag.decode().lower(), row.value.decode(errors="replace"))
        for row in rows
        if isinstance(row, CAA)
    ]
    return tuple(sorted(found, key=lambda each: (each.tag, each.value)))
