from typing import Any

import orjson
import pytest

from deploynix.actor import Actor
from sites.models import Site
from tests import factories
from tests.apiclient import Response


@pytest.fixture
def site(owner: Actor) -> Site:
    return factories.site(factories.server(owner.organization), domain="shop.example.com")


@pytest.fixture
def foreign_site(outsider: Actor) -> Site:
    return factories.site(factories.server(outsider.organization), domain="other.example.com")


def read(response: Response) -> Any:
    return orjson.loads(response.content)
