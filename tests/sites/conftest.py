from typing import Any

import pytest
from django.utils import timezone

from deploynix.actor import Actor
from servers.models import Server
from sites.actions.sites import create_site
from sites.models import Release, Site, Status
from tests import factories

FIELDS: dict[str, Any] = {"domain": "shop.example.com", "repository_url": "git@git.example.com:acme/shop.git"}


@pytest.fixture
def server(owner: Actor) -> Server:
    return factories.server(owner.organization, name="web-1", php_version="8.2", provisioned_at=timezone.now())


@pytest.fixture
def site(owner: Actor, server: Server) -> Site:
    return create_site(owner, server=server, **FIELDS)


@pytest.fixture
def live(site: Site) -> Site:
    """The site with three releases, of which the second was pruned and the last is current."""
    for number, folder in enumerate(("01A", "01B", "01C")):
        site.current_release = Release.objects.create(
            id=folder,
            site=site,
            folder=folder,
            commit=f"{number}" * 40,
            message=f"Change {number}",
            author="Ada",
            is_on_server=folder != "01B",
            activated_at=timezone.now(),
        )
    site.status, site.installed_at = Status.ACTIVE, timezone.now()
    site.save()
    return site


def address_of(site: Site, rest: str = "") -> str:
    return f"/servers/{site.server_id}/sites/{site.pk}{rest}"


def fields(**changes: Any) -> dict[str, Any]:
    return {**FIELDS, **changes}
