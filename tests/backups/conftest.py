"""A server with a database, a site on it, and a store."""

from typing import Any

import pytest
from django.utils import timezone

from backups.actions import create_schedule
from backups.models import Schedule
from deploynix.actor import Actor
from providers.models import Credential
from servers.models import Database, Server
from servers.ssh import generate_key
from sites.models import Site
from tests import factories


@pytest.fixture(scope="session")
def host_key() -> str:
    return " ".join(generate_key("host").public.split()[:2])


@pytest.fixture
def server(owner: Actor, host_key: str) -> Server:
    return factories.provisioned_server(owner.organization, host_key=host_key, name="web-1", database_type="mariadb")


@pytest.fixture
def database(server: Server) -> Database:
    return factories.database(server, name="shop")


@pytest.fixture
def site(server: Server) -> Site:
    return factories.site(server, domain="shop.example", installed_at=timezone.now())


@pytest.fixture
def storage(owner: Actor) -> Credential:
    return factories.storage(owner.organization)


@pytest.fixture
def schedule(owner: Actor, database: Database, storage: Credential) -> Schedule:
    given: dict[str, Any] = {"cron": "0 2 * * *", "timezone": "Europe/Berlin"}
    return create_schedule(owner, database=database, credential=storage, **given)
