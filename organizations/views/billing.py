"""The plan, what is used of it, and the invoices."""

from typing import Any

from deploynix.actor import Actor
from organizations.limits import usage
from organizations.models import Invoice
from organizations.pages import ListPage


def plan_of(actor: Actor) -> dict[str, Any]:
    """What `organizations/plan.html` shows."""
    caps = [
        {"label": limit.removeprefix("max_").capitalize(), "used": used, "allowed": allowed}
        for limit, (used, allowed) in usage(actor.organization).items()
    ]
    return {"plan": actor.organization.plan_details, "caps": caps}


class BillingView(ListPage[Invoice]):
    ability = "billing:read"
    model = Invoice
    template_name = "organizations/billing.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**plan_of(self.actor), **kwargs)
