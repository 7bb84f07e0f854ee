"""What a token opens and is not used for."""

from collections.abc import Iterable
from datetime import timedelta

from django.utils import timezone

from deploynix.abilities import ROLES
from deploynix.api.routes import api_routes
from organizations.models import Membership
from tokens.models import Token
from tokens.vocabularies import VOCABULARIES, opened

UNUSED = timedelta(days=30)


def role_of(token: Token) -> str:
    """The role of the token's maker; empty for one who left."""
    membership = Membership.objects.filter(organization=token.organization_id, user=token.user_id).first()
    return membership.role if membership else ""


def unused_abilities(token: Token) -> frozenset[str]:
    """The abilities that the token opens and was not used for in 30 days; none while it is younger than that.

    One that no operation of the API asks for itself cannot be seen in use, and is never among them.
    """
    since = timezone.now() - UNUSED
    role = role_of(token)
    if token.created_at > since or not role:
        return frozenset()
    used = token.used_abilities.filter(last_at__gt=since).values_list("ability", flat=True)
    return (opened(token.prefix, tuple(token.grants), role) & _asked_for()) - set(used)


def removable_words(token: Token, unused: Iterable[str]) -> list[str]:
    """The granted words that open nothing but unused abilities to the token's maker."""
    opens, role = VOCABULARIES[token.prefix].opens, ROLES.get(role_of(token), frozenset())
    unused = set(unused)
    return [word for word in token.grants if unused.issuperset(reach := opens.get(word, frozenset()) & role) and reach]


def _asked_for() -> frozenset[str]:
    return frozenset(route.ability for route in api_routes())
