"""The secrets of an organization's backups, for the redactor."""

from collections.abc import Iterator

from backups.models import Restore
from deploynix.prepared import Prepared

_waiting = Prepared(
    lambda organization: Restore.objects.filter(organization=organization, identity__isnull=False).values("identity")
)


def secrets(organization_id: str) -> Iterator[str]:
    """The private keys of restores that have not ended."""
    for row in _waiting.rows(organization=organization_id):
        yield row["identity"]
