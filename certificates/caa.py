"""Whether a domain lets an authority issue, asked before an order is spent on it: RFC 8659."""

from collections.abc import Iterable

from certificates.acme.client import Acme
from certificates.acme.errors import HINTS, AcmeError
from domains import lookup


def require_allowed(names: Iterable[str], acme: Acme) -> None:
    """Raises AcmeError where CAA records name others, and as `lookup.caa_of`. An authority that does not say by which
    names it goes is left to judge by itself."""
    if not (identities := acme.caa_identities):
        return
    for name in names:
        caa = lookup.caa_of(name)
        if not caa.allows(identities, is_wildcard=name.startswith("*.")):
            records = ", ".join(f'{each.tag} "{each.value}"' for each in caa.properties)
            message = f"{caa.name} does not let {acme.host} issue for {name}: its CAA records say {records}."
            raise AcmeError(message, f"{HINTS['caa']} This one goes by {' or '.join(identities)}.", problem="caa")
