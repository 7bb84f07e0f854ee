"""What each server answers about a name: a domain's own ones, and public resolvers."""

from dataclasses import dataclass
from functools import partial

import dns.exception
import dns.message
import dns.name
import dns.rcode

from deploynix.errors import Error
from domains.lookup.authority import Authority, NameServer
from domains.lookup.wire import (
    ANSWERED,
    NoRoute,
    ask_authority,
    at_once,
    exchange,
    parsed,
    plain,
    require_live,
    values_of,
)

# Anybody may ask them; each has servers all over the world.
PUBLIC_RESOLVERS = (("Cloudflare", "1.1.1.1"), ("Google", "8.8.8.8"), ("Quad9", "9.9.9.9"))


@dataclass(frozen=True, slots=True)
class Answer:
    """`values` are those of the name itself, sorted; None where the server failed, as `error` and `hint` say. `ttl`
    is for how many seconds others may keep them.

    `is_out_of_reach`: the server may be well, but this machine has no way there, as to IPv6 without a route.
    """

    server: str
    address: str
    values: tuple[str, ...] | None
    error: str = ""
    hint: str = ""
    is_out_of_reach: bool = False
    ttl: int = 0


def answers(authority: Authority, name: str, type: str) -> list[Answer]:  # noqa: A002 -- its name in DNS
    """Asks all servers of the zone at once, in their order. Raises NoSuchDomain for a text that is no name, and
    Refused in a dry run."""
    require_live(name)
    wanted = parsed(name)
    return at_once([partial(_answer, server, wanted, type) for server in authority.servers])


def public_answers(name: str, type: str) -> list[Answer]:  # noqa: A002
    """What public resolvers answer, which may be as old as its TTL allows. Raises as `answers`."""
    require_live(name)
    wanted = parsed(name)
    return at_once([partial(_public_answer, label, address, wanted, type) for label, address in PUBLIC_RESOLVERS])


def _answer(server: NameServer, name: dns.name.Name, type: str) -> Answer:  # noqa: A002
    """The first address that answers speaks for the server."""
    failures: list[Answer] = []
    for address in server.addresses:
        try:
            found = ask_authority(server.name, address, name, type)
        except Error as error:
            is_out_of_reach = isinstance(error, NoRoute)
            failures.append(Answer(server.name, address, None, error.message, error.hint, is_out_of_reach))
        else:
            values, ttl = values_of(found, name, type)
            return Answer(server.name, address, values, ttl=ttl)
    # That one address cannot be reached from here says nothing of the server.
    failures.sort(key=lambda answer: answer.is_out_of_reach)
    hint = "At the registrar give the name server an address (glue), or take it out of the domain's name servers."
    return failures[0] if failures else Answer(server.name, "", None, server.error, hint)


def _public_answer(label: str, address: str, name: dns.name.Name, type: str) -> Answer:  # noqa: A002
    try:
        found = exchange(dns.message.make_query(name, type), address)
    except (OSError, EOFError, ValueError, dns.exception.DNSException):
        return Answer(label, address, None, f"{label} ({address}) cannot be reached from this machine.")
    if found.rcode() not in ANSWERED:
        return Answer(label, address, None, f"{label} answers {dns.rcode.to_text(found.rcode())} for {plain(name)}.")
    values, ttl = values_of(found, name, type)
    return Answer(label, address, values, ttl=ttl)
