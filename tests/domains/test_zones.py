"""Which credential holds a zone, and whose writers take turns."""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address

import pytest

from deploynix.actor import Actor
from deploynix.dry_run import undone
from deploynix.errors import Error
from deploynix.guard import RefusedAddress, RefusedInDryRun
from domains import zones
from domains.zones import credential_for, writing
from jobs.models import Turn
from jobs.runner import claim
from providers.base import Kind
from providers.contracts.dns import DnsProvider, Zone
from providers.errors import InvalidCredential, NotFound, ProviderError, RateLimited
from providers.models import Credential, Status, Unopenable
from providers.registry import providers_of
from tests.jobs.toy import enqueue

pytestmark = pytest.mark.django_db
NAME = "_acme-challenge.www.shop.example.com"


@dataclass
class Holder:
    """What a credential answers in the place of a provider."""

    answer: str | Error

    def find_zone(self, name: str) -> Zone:
        if isinstance(self.answer, Error):
            raise self.answer
        return Zone("zone-1", self.answer)


@pytest.fixture
def connected(owner: Actor, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Credential]:
    """Connects what holds a zone, or fails at the question for it."""
    answers: dict[str, str | Error] = {}

    def adapter(credential: Credential) -> Holder:
        answer = answers[credential.pk]
        if isinstance(answer, Unopenable):
            raise answer
        return Holder(answer)

    def connect(name: str, answer: str | Error, actor: Actor = owner, **fields: str) -> Credential:
        given = {"kind": Kind.DNS, "provider": "desec", "status": Status.OK, **fields}
        credential = Credential(organization=actor.organization, name=name, **given)
        credential.seal({"api_token": "secret"})
        credential.save()
        answers[credential.pk] = answer
        return credential

    monkeypatch.setattr(zones, "adapter_of", adapter)
    return connect


def test_the_longest_apex_holds_the_name(owner: Actor, connected: Callable[..., Credential]) -> None:
    connected("A", "example.com")
    nearest = connected("B", "shop.example.com")
    connected("C", NotFound("No zone."))
    connected("D", "example.com")
    assert credential_for(owner.organization, NAME) == (nearest, Zone("zone-1", "shop.example.com"))


def test_of_two_the_one_in_order_is_taken(owner: Actor, connected: Callable[..., Credential]) -> None:
    connected("A", "example.com", status=Status.LIMITED)
    good = connected("B", "example.com")
    connected("C", "example.com", status=Status.UNCHECKED)
    assert credential_for(owner.organization, NAME)[0] == good


def test_one_that_fails_hides_no_other(owner: Actor, connected: Callable[..., Credential]) -> None:
    connected("A", InvalidCredential("It answers 401."))
    connected("B", Unopenable("It cannot be decrypted."))
    good = connected("C", "example.com")
    connected("D", RateLimited("deSEC", 60))
    assert credential_for(owner.organization, NAME)[0] == good


def test_who_failed_is_named_where_none_holds_it(owner: Actor, connected: Callable[..., Credential]) -> None:
    connected("Main account", InvalidCredential("It answers 401."))
    connected("Old account", Unopenable("It cannot be decrypted."))
    connected("Other", NotFound("No zone."))
    connected("Inside", RefusedAddress("dns.example", ip_address("10.0.0.1")))
    with pytest.raises(NotFound) as failure:
        credential_for(owner.organization, NAME)
    assert failure.value.message == (
        f"No zone for {NAME} was found. Inside could not be asked: dns.example leads to 10.0.0.1, which is not on the "
        "public Internet. Main account could not be asked: It answers 401. Old account could not be asked: It cannot "
        "be decrypted."
    )
    assert not failure.value.retryable


def test_what_may_go_by_is_tried_again(owner: Actor, connected: Callable[..., Credential]) -> None:
    connected("Main account", RateLimited("deSEC", 60))
    with pytest.raises(ProviderError, match="Main account could not be asked: deSEC asks us to slow down") as failure:
        credential_for(owner.organization, NAME)
    assert failure.value.retryable


def test_where_none_holds_it_what_to_do_is_said(
    owner: Actor, outsider: Actor, connected: Callable[..., Credential]
) -> None:
    connected("Theirs", "example.com", actor=outsider)
    connected("Of a server", "example.com", kind=Kind.SERVER)
    with pytest.raises(NotFound, match="No DNS provider is connected"):
        credential_for(owner.organization, NAME)
    connected("A", NotFound("No zone."))
    with pytest.raises(NotFound, match=f"No connected DNS provider holds a zone for {NAME}") as failure:
        credential_for(owner.organization, NAME)
    assert "Connect" in failure.value.hint


def test_nobody_is_asked_in_a_dry_run(owner: Actor, connected: Callable[..., Credential]) -> None:
    connected("A", "example.com")
    with undone([]), pytest.raises(RefusedInDryRun):
        credential_for(owner.organization, NAME)


def test_whose_last_writer_wins() -> None:
    declared = providers_of(Kind.DNS).values()
    found = {each.key for each in declared if issubclass(each, DnsProvider) and each.last_writer_wins}
    assert found == {"desec", "gandi", "godaddy", "namecheap", "powerdns"}


@pytest.mark.parametrize(
    ("provider", "base_url", "other_url", "is_alone"),
    [
        ("gandi", "", "", True),
        ("powerdns", "https://ns.example:8081", "https://ns.example:8081", True),
        # Whoever runs a server that answers slowly holds up nobody else.
        ("powerdns", "https://ns.example:8081", "https://ns.other.example:8081", False),
        ("route53", "", "", False),
    ],
)
def test_writers_take_turns_where_the_last_one_wins(
    owner: Actor, outsider: Actor, provider: str, base_url: str, other_url: str, is_alone: bool
) -> None:
    zone = Zone("zone-1", "example.com")
    run = claim(enqueue(owner).pk)
    assert run is not None
    names = []
    for actor, address in ((owner, base_url), (outsider, other_url)):
        credential = Credential(organization=actor.organization, kind=Kind.DNS, provider=provider)
        credential.settings = {"base_url": address} if address else {}
        credential.seal(dict.fromkeys(("api_key", "api_token", "api_secret", "token", "secret_access_key"), "secret"))
        with writing(run, credential, zone):
            names.append(Turn.objects.values_list("name", flat=True).first())
    assert (names[0] is not None and names[0] == names[1]) == is_alone
    assert not Turn.objects.exists()
