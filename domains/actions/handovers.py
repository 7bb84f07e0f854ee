"""Sending people to their DNS provider, and taking them back: Domain Connect."""

from datetime import timedelta
from hashlib import sha256
from secrets import token_urlsafe

from django.db import transaction
from django.utils import timezone

from audit.log import record
from deploynix.actor import Actor
from deploynix.errors import Conflict
from domains.actions.connections import check_connection
from domains.domain_connect.address import apply_address
from domains.models import Connection, Handover, State, Way
from domains.states import move

LIFE = timedelta(hours=1)
# RFC 6749, section 4.1.2.1, as the specification of Domain Connect says.
REFUSALS = {
    "access_denied": "The DNS provider was not allowed to write the records.",
    "temporarily_unavailable": "The DNS provider cannot do it at the moment.",
}


@transaction.atomic
def hand_over(actor: Actor, *, connection: Connection) -> str:
    """The address at the DNS provider to which the person is to go now; its state holds for one return of theirs.

    Raises Denied, Unfit, and Conflict where nobody has found out about the provider yet.
    """
    actor.require_unlimited("provider:update")
    if actor.user is None:
        raise Conflict("Only a person can be sent to a DNS provider.")
    if connection.way != Way.DOMAIN_CONNECT or connection.state == State.DISCONNECTED or not connection.sync_url:
        raise Conflict(
            f"{connection} cannot be connected at its DNS provider now.", "Ask the provider for Domain Connect again."
        )
    state = token_urlsafe(32)
    expires_at = timezone.now() + LIFE
    connection.handovers.create(user=actor.user, state_hash=hashed(state), expires_at=expires_at)
    record(actor, "connection.handed-over", connection)
    return apply_address(connection, state)


@transaction.atomic
def take_back(actor: Actor, *, state: str, error: str = "") -> Connection:
    """The person is back. That all went well is not believed but looked at. Raises Denied, and Conflict for a state
    that is not theirs, was used, or is too old."""
    actor.require_unlimited("provider:update")
    rows = Handover.objects.select_for_update().filter(
        state_hash=hashed(state),
        user=actor.user,
        connection__organization=actor.organization,
        used_at=None,
        expires_at__gt=timezone.now(),
    )
    handover = rows.first()
    if handover is None:
        raise Conflict("This return from a DNS provider is not known, or not any more.", "Begin at the domain's page.")
    Handover.objects.filter(pk=handover.pk).update(used_at=timezone.now())
    connection = Connection.objects.select_related("organization").get(pk=handover.connection_id)
    record(actor, "connection.taken-back", connection, {"error": [None, error[:100]]} if error else None)
    if connection.state != State.ACTIVE:
        reason = REFUSALS.get(error, "The DNS provider did not write the records.")
        move(actor, connection, State.PENDING if error else State.VERIFYING, reason if error else "")
    if not error:
        check_connection(actor, connection=connection)
    return connection


def hashed(state: str) -> str:
    return sha256(state.encode()).hexdigest()
