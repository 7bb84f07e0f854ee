"""What the API would answer to a token: each operation, allowed or denied, and why."""

from dataclasses import dataclass

from deploynix.abilities import ROLES
from deploynix.api.permissions import ANY_TOKEN, PUBLIC
from deploynix.api.routes import Route, api_routes
from tokens.errors import page_of
from tokens.models import Environment, Kind, Token
from tokens.unused import role_of
from tokens.vocabularies import VOCABULARIES, opened


@dataclass(frozen=True, slots=True)
class Verdict:
    route: Route
    allowed: bool
    reason: str


def simulate(token: Token) -> list[Verdict]:
    """Nothing is asked for: the verdicts follow from what each view declares and what the token carries."""
    role = role_of(token)
    obstacle = _obstacle(token, role)
    carried = opened(token.prefix, tuple(token.grants), role) if role else frozenset()
    return [_verdict(token, route, role, obstacle, carried) for route in api_routes()]


def conditions(token: Token) -> list[str]:
    """What a request must fulfil besides."""
    found = []
    if token.ip_allowlist:
        found.append(f"It must come from {', '.join(token.ip_allowlist)}.")
    if token.passphrase:
        found.append("It must carry the passphrase of the token.")
    if token.resources is not None:
        found.append("It reaches only the servers and sites that the token is limited to; anything else is not found.")
    if token.environment == Environment.TEST:
        found.append("What it does is undone: this is a test key.")
    return found


def _verdict(token: Token, route: Route, role: str, obstacle: str, carried: frozenset[str]) -> Verdict:
    if route.ability == PUBLIC:
        return Verdict(route, True, "Needs no token.")
    if obstacle:
        return Verdict(route, False, obstacle)
    if route.ability == ANY_TOKEN:
        return Verdict(route, True, "Any token will do.")
    if route.ability in carried:
        return Verdict(route, True, f"{_by(token, route.ability)} opens it.")
    if route.ability not in ROLES[role]:
        return Verdict(route, False, f"Needs {route.ability}, which the role of its maker, {role}, does not include.")
    return Verdict(route, False, _missing(token, route.ability))


def _obstacle(token: Token, role: str) -> str:
    """Why the token opens nothing at all; empty where it does."""
    if token.revoked_at is not None:
        return "The token is revoked."
    if token.has_expired:
        return "The token has expired."
    if not role or not token.user.is_active:
        return "Its maker no longer belongs to the organization."
    if not token.is_active:
        return "The key is switched off."
    if not token.organization.plan_details.api_access:
        return f"The {token.organization.plan_details.label} plan has no API access."
    return ""


def _by(token: Token, ability: str) -> str:
    opens = VOCABULARIES[token.prefix].opens
    words: list[str] = token.grants
    return next(word for word in words if ability in opens.get(word, ()))


def _missing(token: Token, ability: str) -> str:
    vocabulary = VOCABULARIES[token.prefix]
    if token.kind == Kind.PERSONAL:
        return f"Needs {ability}. Make another token with it under {page_of(token.kind)}."
    words = [word for word, abilities in vocabulary.opens.items() if ability in abilities]
    if not words:
        return f"Needs {ability}, which no {vocabulary.noun} of such a token opens."
    word = min(words, key=lambda word: len(vocabulary.opens[word]))
    how = "Make another token" if token.kind == Kind.ACCESS else "Change the key"
    return f"Needs {ability}: the {vocabulary.noun} {word} opens it. {how} under {page_of(token.kind)}."
