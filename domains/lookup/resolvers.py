"""Recursive resolvers: those of the setting DNS_RESOLVERS, or the system's."""

from collections.abc import Sequence

import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.resolver
from django.conf import settings

from domains.lookup.wire import ANSWERED, LookupFailed, exchange, plain


def resolve(name: dns.name.Name, type: str) -> dns.message.Message:  # noqa: A002 -- its name in DNS
    """The first answer that a resolver has, be it that there is nothing. Raises LookupFailed."""
    failures = []
    for address in _resolvers():
        try:
            answer = exchange(dns.message.make_query(name, type), address)
        except (OSError, EOFError, ValueError, dns.exception.DNSException):
            failures.append(f"the resolver {address} does not answer")
            continue
        if answer.rcode() in ANSWERED:
            return answer
        failures.append(f"the resolver {address} answers {dns.rcode.to_text(answer.rcode())}")
    raise LookupFailed(
        f"{plain(name)} cannot be looked up: {', '.join(failures)}.",
        "Check the domain's name servers at its registrar. If other domains fail as well, the operator of this install "
        "can name other resolvers (DNS_RESOLVERS).",
        retryable=True,
    )


def _resolvers() -> Sequence[str]:
    if settings.DNS_RESOLVERS:
        return list(settings.DNS_RESOLVERS)
    try:
        found = dns.resolver.Resolver().nameservers
    except dns.resolver.NoResolverConfiguration:
        found = []
    if not found:
        raise LookupFailed("This machine knows no resolver.", "Its operator can name some with DNS_RESOLVERS.")
    return [str(address) for address in found]
