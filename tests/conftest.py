"""What every suite shares: three people, and the fixtures that make requests as one of them."""

import pytest
from django.core.cache import cache
from django.test import Client

from deploynix.actor import Actor
from deploynix.api.rates import forget_spending
from deploynix.api.throttling import reset_limits
from jobs import pulse
from organizations.models import Organization, Role
from tests import factories
from tests.apiclient import ApiClient
from tests.examples import register_profiles

register_profiles()


@pytest.fixture(autouse=True)
def _no_pulse(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit test's transaction is seen by its own thread only; the pulse beats where real parts are tested."""
    if not {"lab", "browser", "e2e"} & {mark.name for mark in request.node.iter_markers()}:
        monkeypatch.setattr(pulse, "join", lambda run: None)


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    """Every test comes from the same address."""
    reset_limits()
    forget_spending()
    cache.clear()


@pytest.fixture
def organization(db: None) -> Organization:
    return factories.organization("Acme")


@pytest.fixture
def owner(organization: Organization) -> Actor:
    return factories.actor(organization, Role.OWNER, "owner@acme.test")


@pytest.fixture
def member(organization: Organization) -> Actor:
    """A viewer of the same organization."""
    return factories.actor(organization, Role.VIEWER, "viewer@acme.test")


@pytest.fixture
def outsider(db: None) -> Actor:
    """The owner of another organization."""
    return factories.actor(factories.organization("Other"), Role.OWNER, "owner@other.test")


@pytest.fixture
def owner_client(owner: Actor) -> Client:
    return factories.signed_in(owner)


@pytest.fixture
def member_client(member: Actor) -> Client:
    return factories.signed_in(member)


@pytest.fixture
def outsider_client(outsider: Actor) -> Client:
    return factories.signed_in(outsider)


@pytest.fixture
def api(owner: Actor) -> ApiClient:
    """The API as the owner, with a token that carries every ability of the role."""
    return ApiClient.signed_in(owner)


@pytest.fixture
def member_api(member: Actor) -> ApiClient:
    return ApiClient.signed_in(member)


@pytest.fixture
def outsider_api(outsider: Actor) -> ApiClient:
    return ApiClient.signed_in(outsider)
