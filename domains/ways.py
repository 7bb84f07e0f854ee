"""Which ways a domain offers to be connected, found out from its name servers; the best first."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.core.cache import cache

from deploynix.actor import Actor
from deploynix.errors import Error
from domains import lookup
from domains.domain_connect.discovery import discover
from domains.hosts import ANY, Host, host_of
from domains.models import Application, Way
from providers.base import Kind
from providers.models import Credential

REMEMBERED_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a domain: `failure` says why nothing is, `refusal` why there is no Domain Connect."""

    apex: str = ""
    servers: tuple[str, ...] = ()
    failure: str = ""
    sync_provider: str = ""
    refusal: str = ""

    @property
    def host(self) -> Host:
        return host_of(self.servers)


@dataclass(frozen=True, slots=True)
class Choice:
    """A way, and why it is not to be had, where it is not."""

    way: Way
    text: str
    refusal: str = ""


def facts_of(domain: str) -> Facts:
    """Asked for at most once a minute: a form is sent more than once. Raises Refused in a dry run."""
    key = f"ways:{domain}"
    known: dict[str, Any] | None = cache.get(key)
    if known is None:
        known = asdict(_asked(domain))
        cache.set(key, known, REMEMBERED_SECONDS)
    return Facts(**known)


def choices_of(facts: Facts, credentials: Sequence[Credential]) -> list[Choice]:
    """All three. `credentials` are those that may be used; whether one holds the domain is certain only where its
    provider is known to serve it."""
    found = [_with_credential(facts, credentials), _by_domain_connect(facts), _by_hand(facts)]
    if facts.host == ANY:
        found[:2] = reversed(found[:2])
    return sorted(found, key=lambda choice: bool(choice.refusal))


def usable_credentials(actor: Actor, application: Application, facts: Facts) -> list[Credential]:
    """Of the DNS credentials those of the domain's provider first, and of these the application's own."""
    rows = list(Credential.objects.visible_to(actor).filter(kind=Kind.DNS).order_by("name"))
    own = set(application.credentials.values_list("pk", flat=True))
    return sorted(rows, key=lambda row: (row.provider != facts.host.provider, row.pk not in own))


def _asked(domain: str) -> Facts:
    try:
        authority = lookup.authority_of(domain)
    except Error as error:
        return Facts(failure=f"{error.message} {error.hint}".strip(), refusal="Nobody knows who hosts the domain.")
    facts = Facts(authority.zone, tuple(server.name for server in authority.servers))
    try:
        return replace(facts, sync_provider=discover(authority).provider)
    except Error as error:
        return replace(facts, refusal=error.message)


def _with_credential(facts: Facts, credentials: Sequence[Credential]) -> Choice:
    text = "Deploynix puts the records in place, shows what stands in the way, and removes them again in the end."
    if not credentials:
        return Choice(Way.CREDENTIAL, text, "No DNS provider is connected.")
    is_served = any(row.provider == facts.host.provider for row in credentials)
    if facts.host != ANY and facts.host.provider and not is_served:
        return Choice(Way.CREDENTIAL, text, f"{facts.host.label} serves the domain, and is not connected.")
    if facts.host != ANY and not facts.host.provider:
        return Choice(Way.CREDENTIAL, text, f"{facts.host.label} serves the domain, and lets no program write records.")
    return Choice(Way.CREDENTIAL, text)


def _by_domain_connect(facts: Facts) -> Choice:
    provider = facts.sync_provider or "the DNS provider"
    text = f"You are sent to {provider}, sign in there, and allow the records. No credential is stored."
    return Choice(Way.DOMAIN_CONNECT, text, facts.refusal)


def _by_hand(facts: Facts) -> Choice:
    text = f"You enter the records at {facts.host.label}. Each is looked for as you go."
    return Choice(Way.MANUAL, text)
