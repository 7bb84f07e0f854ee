"""Who is acting: whatever the credential, a request ends up with one of these."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deploynix.abilities import ABILITIES, ROLES
from deploynix.errors import Denied

if TYPE_CHECKING:
    from accounts.models import User
    from organizations.models import Organization


@dataclass(frozen=True, slots=True)
class Actor:
    """A user or the system, acting in one organization with a set of abilities.

    `token_id` is set when a token signed the request; `ip` is the client's address where there is one.
    """

    organization: "Organization"
    abilities: frozenset[str]
    user: "User | None" = None
    role: str = ""
    token_id: str | None = None
    token_name: str = ""
    ip: str | None = None
    label: str = field(default="")

    def __str__(self) -> str:
        if self.label:
            return self.label
        person = self.user.email if self.user else "system"
        return f"{person} (token {self.token_name})" if self.token_id else person

    def can(self, ability: str) -> bool:
        if ability not in ABILITIES:
            raise LookupError(f"no such ability: {ability}")
        return ability in self.abilities

    def require(self, ability: str) -> None:
        """Raises Denied, naming the ability, where it is missing."""
        if self.can(ability):
            return
        raise Denied(ability, hint=self._how_to_get(ability))

    def _how_to_get(self, ability: str) -> str:
        if self.token_id and ability in ROLES.get(self.role, ()):
            return f"This token does not carry {ability}. Make one that does under Settings > API Tokens."
        return (
            f"Your role, {self.role or 'none'}, does not include {ability}. "
            "An owner or admin can give you another one under Settings > Members."
        )


def system_actor(organization: "Organization") -> Actor:
    """The actor of work that nobody clicked: schedules, reapers, convergence."""
    return Actor(organization=organization, abilities=frozenset(ABILITIES), label="system")
