"""What every suite shares: three people, and the fixtures that make requests as one of them."""

import os
import tempfile

# Set before Django reads its settings: the tests never touch a data folder of a real install.
os.environ.setdefault("DATA", tempfile.mkdtemp(prefix="deploynix-tests-"))
os.environ.setdefault("REDIS_URL", "memory://")

import pytest
from django.test import Client
from pytest_django.fixtures import SettingsWrapper

from deploynix.actor import Actor
from organizations.models import Organization, Role
from tests import factories
from tests.apiclient import ApiClient


@pytest.fixture(autouse=True)
def _plain_static_files(settings: SettingsWrapper) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


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
