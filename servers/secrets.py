"""The secrets of an organization's servers, for the redactor."""

from collections.abc import Iterator

from servers.models import DatabaseUser, ScriptRun, Server


def secrets(organization_id: str) -> Iterator[str]:
    """What users gave. The servers' own keys are made here and sent nowhere, so no output can hold them."""
    keys = Server.objects.filter(organization_id=organization_id, login_key__isnull=False)
    yield from keys.values_list("login_key", flat=True)
    users = DatabaseUser.objects.filter(server__organization_id=organization_id, password__isnull=False)
    yield from users.values_list("password", flat=True)
    runs = ScriptRun.objects.filter(server__organization_id=organization_id, finished_at=None)
    for given in runs.values_list("secrets", flat=True):
        yield from given.values()
