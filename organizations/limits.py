"""Caps of the plan. Each app registers how its own rows are counted."""

from collections.abc import Callable

from deploynix.errors import LimitReached
from organizations.models import Organization

Counter = Callable[[Organization], int]
_counters: dict[str, Counter] = {}


def register_counter(limit: str, counter: Counter) -> None:
    """Says how what `limit` (for example `max_servers`) caps is counted."""
    _counters[limit] = counter


def require_room(organization: Organization, limit: str) -> None:
    """Raises LimitReached where one more would be over the plan's cap.

    Call it inside the action's transaction: it locks the organization's row, so that two that would both take
    the last place do so one after the other.
    """
    plan = organization.plan_details
    allowed: int | None = getattr(plan, limit)
    if allowed is None:
        return
    Organization.objects.select_for_update().get(pk=organization.pk)
    if _counters[limit](organization) >= allowed:
        raise LimitReached(limit, allowed, plan.label)


def usage(organization: Organization) -> dict[str, tuple[int, int | None]]:
    """For each cap: how many there are, and how many the plan allows (None: any number)."""
    plan = organization.plan_details
    return {limit: (count(organization), getattr(plan, limit)) for limit, count in sorted(_counters.items())}
