"""What stays of the requests of test keys."""

from collections.abc import Sequence

from audit.log import Changes, record
from deploynix.actor import Actor
from tokens.models import Token

# Of a request's path; nothing that is there has a longer one.
LONGEST_REQUEST = 255


def record_dry_run(actor: Actor, *, request: str, status: int, events: Sequence[str]) -> None:
    """Leaves an audit row for a request (`POST /api/v1/servers`) that was answered with `status` and undone, together
    with the audit `events` that it would have left."""
    answered = {"request": request[:LONGEST_REQUEST], "status": status, "events": list(events)}
    changes: Changes = {name: [None, value] for name, value in answered.items()}
    record(actor, "token.dry-run", Token.objects.get(pk=actor.token_id), changes)
