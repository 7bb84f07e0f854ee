"""What each plan opens and how much of it: feature flags and caps. None means no cap."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    name: str
    label: str
    api_access: bool
    unlimited_rate: bool
    max_servers: int | None
    max_sites: int | None
    max_members: int | None


PLANS = {
    plan.name: plan
    for plan in (
        Plan("free", "Free", False, False, 1, 3, 1),
        Plan("starter", "Starter", False, False, 5, 25, 5),
        Plan("professional", "Professional", True, False, 25, 250, 25),
        Plan("enterprise", "Enterprise", True, True, None, None, None),
    )
}
# A self-hosted install serves its owner, not a price list.
DEFAULT_PLAN = "enterprise"
