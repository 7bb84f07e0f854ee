"""What is known before anything is ordered: by which DNS credential each domain would be proven."""

from collections.abc import Iterable
from dataclasses import dataclass

from certificates.proofs import LABEL
from deploynix.errors import Error
from domains.lookup import follow_cname
from domains.zones import credential_for
from organizations.models import Organization

# Each takes some requests to providers, and somebody is looking on.
MOST = 5


@dataclass(frozen=True, slots=True)
class Place:
    """`credential` holds `zone`, in which `name` is proven; or neither is known, and `error` and `hint` say why."""

    name: str
    credential: str = ""
    zone: str = ""
    error: str = ""
    hint: str = ""


def places_of(organization: Organization, names: Iterable[str]) -> list[Place]:
    """Of the first few; a wildcard is proven where its domain is."""
    domains = dict.fromkeys(name.removeprefix("*.") for name in names)
    return [place_of(organization, domain) for domain in list(domains)[:MOST]]


def place_of(organization: Organization, domain: str) -> Place:
    try:
        credential, zone = credential_for(organization, follow_cname(f"{LABEL}.{domain}"))
    except Error as error:
        return Place(domain, error=error.message, hint=error.hint)
    return Place(domain, str(credential), zone.name)
