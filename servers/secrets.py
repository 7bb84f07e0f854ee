"""The secrets of an organization's servers, for the redactor."""

from collections.abc import Iterator

from deploynix.prepared import Prepared
from servers.models import DatabaseUser, ScriptRun, Server

_keys = Prepared(
    lambda organization: Server.objects.filter(organization_id=organization, login_key__isnull=False).values(
        "login_key"
    )
)
_users = Prepared(
    lambda organization: DatabaseUser.objects.filter(
        server__organization_id=organization, password__isnull=False
    ).values("password")
)
_runs = Prepared(
    lambda organization: ScriptRun.objects.filter(server__organization_id=organization, finished_at=None).values(
        "secrets"
    )
)


def secrets(organization_id: str) -> Iterator[str]:
    """What users gave. The servers' own keys are made here and sent nowhere, so no output can hold them."""
    yield from (row["login_key"] for row in _keys.rows(organization=organization_id))
    yield from (row["password"] for row in _users.rows(organization=organization_id))
    for row in _runs.rows(organization=organization_id):
        yield from row["secrets"].values()
