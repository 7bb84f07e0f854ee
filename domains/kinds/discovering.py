"""Finds out whether the DNS provider of a domain can be asked by Domain Connect."""

from domains import lookup
from domains.actions.connections import DISCOVER
from domains.domain_connect.discovery import discover
from domains.kinds.base import ConnectionKind, connection_of
from domains.models import State
from domains.states import move
from jobs.kinds import Step, register
from jobs.run import Run


@register
class DiscoverConnection(ConnectionKind):
    name = DISCOVER
    is_routine = True
    steps = (Step("discover", "Ask the DNS provider"),)

    def discover(self, run: Run) -> None:
        connection = connection_of(run)
        offer = discover(lookup.authority_of(connection.domain))
        found = {"apex": offer.apex, "sync_url": offer.sync_url, "dns_provider": offer.provider}
        state = State(connection.state)
        with run.write():
            move(run.actor, connection, state, connection.reason if state == State.FAILING else "", **found)
        run.line(f"{offer.provider} offers Domain Connect for {offer.apex}.")
