"""Asks a domain's name servers whether all is as it should be."""

from datetime import timedelta

from django.utils import timezone

from domains import lookup, verification
from domains.actions.connections import CHECK
from domains.conflicts import compare
from domains.conflicts import keep as keep_conflicts
from domains.kinds.base import ConnectionKind, connection_of, keep, missing_state, waits
from domains.models import Connection, State, Way
from domains.verification import View
from jobs.kinds import Step, register
from jobs.run import Run

# So long does an active connection stay so when nobody can look.
UNSEEN = timedelta(days=2)
# For what was put there a moment ago, and for what was there: a server may have a bad moment.
FRESH_SECONDS, SECOND_LOOK_SECONDS = 120.0, 15.0


@register
class CheckConnection(ConnectionKind):
    name = CHECK
    is_routine = True
    steps = (Step("check", "Ask the name servers"),)

    def check(self, run: Run) -> None:
        connection = connection_of(run)
        view = look(run, connection)
        with run.write():
            connection.refresh_from_db()
            # A job that writes may have been queued, or cancelled, in the meantime: it has the say.
            if connection.way == Way.CREDENTIAL and waits(connection):
                return
            keep(run, connection, view, missing_state(connection))
        if connection.way != Way.CREDENTIAL:
            self.find_conflicts(run, connection)

    def failed_state(self, connection: Connection) -> State:
        """That nobody could look proves nothing, for a while: it may be our own resolver that is out of order."""
        is_known = connection.records.filter(seen_at__gte=timezone.now() - UNSEEN).exists()
        return State.ACTIVE if is_known and connection.state == State.ACTIVE else super().failed_state(connection)

    def find_conflicts(self, run: Run, connection: Connection) -> None:
        authority = lookup.authority_of(connection.domain)
        found = compare(connection, lambda name, kind: verification.served_values(authority, name, kind))
        with run.write():
            keep_conflicts(connection, found)


def look(run: Run, connection: Connection) -> View:
    seconds = {State.VERIFYING.value: FRESH_SECONDS, State.ACTIVE.value: SECOND_LOOK_SECONDS}.get(connection.state, 0.0)
    return verification.wait(connection, seconds=seconds, should_stop=run.stopping.is_set, said=run.line)
