"""Who is acting: whatever the credential, a request ends up with one of these."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deploynix.abilities import ABILITIES, ROLES
from deploynix.errors import Denied

if TYPE_CHECKING:
    from accounts.models import User
    from organizations.models import Organization


@dataclass(frozen=True, slots=True)
class Resources:
    """The servers and sites, by id, that a token is limited to. A server stands for its sites, too."""

    servers: frozenset[str]
    sites: frozenset[str]


@dataclass(frozen=True, slots=True)
class Actor:
    """A user or the system, acting in one organization with a set of abilities.

    `token_id` is set when a token signed the request: `grants` are the words that the token carries, as they were
    granted, `token_page` is where tokens are made that carry others, and `rate` is its rate type, empty for the general
    limit. `resources` is None for whoever may see all of the organization. What an actor with `is_dry_run` does is
    undone. `ip` is the client's address where there is one.
    """

    organization: "Organization"
    abilities: frozenset[str]
    user: "User | None" = None
    role: str = ""
    token_id: str | None = None
    token_kind: str = ""
    token_name: str = ""
    token_page: str = "Settings > API Tokens"  # noqa: S105 -- where to click
    key_id: str = ""
    grants: tuple[str, ...] = ()
    rate: str = ""
    resources: Resources | None = None
    is_dry_run: bool = False
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

    def require_unlimited(self, ability: str) -> None:
        """As `require`, for what a token that is limited to some servers and sites could not see afterwards, or what
        concerns all of the organization."""
        self.require(ability)
        if self.resources is not None:
            raise Denied(
                ability,
                f"{ability} reaches beyond the servers and sites that this token is limited to.",
                "Use a token that sees the whole organization.",
            )

    def _how_to_get(self, ability: str) -> str:
        if self.token_id and ability in ROLES.get(self.role, ()):
            return f"This token does not carry {ability}. Make one that does under {self.token_page}."
        return (
            f"Your role, {self.role or 'none'}, does not include {ability}. "
            "An owner or admin can give you another one under Settings > Members."
        )


def system_actor(organization: "Organization") -> Actor:
    """The actor of work that nobody clicked: schedules, reapers, convergence."""
    return Actor(organization=organization, abilities=frozenset(ABILITIES), label="system")
