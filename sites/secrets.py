"""The secrets of an organization's sites, for the redactor."""

from collections.abc import Iterator

from deploynix.prepared import Prepared
from sites.models import EnvironmentVariable, Site

_variables = Prepared(
    lambda organization: EnvironmentVariable.objects.filter(site__organization=organization).values("value")
)
_keys = Prepared(lambda organization: Site.objects.filter(organization=organization).values("deploy_private_key"))


def secrets(organization_id: str) -> Iterator[str]:
    """Every environment value and deploy key of the organization."""
    yield from (row["value"] for row in _variables.rows(organization=organization_id))
    yield from (row["deploy_private_key"] for row in _keys.rows(organization=organization_id))
