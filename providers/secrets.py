"""The secrets of an organization's credentials, for the redactor."""

from collections.abc import Iterator

from deploynix.prepared import Prepared
from providers.models import Credential

_stored = Prepared(lambda organization: Credential.objects.filter(organization_id=organization).values("sealed"))


def secrets(organization_id: str) -> Iterator[str]:
    """Whichever row they stand in: what does not open for its row is a secret all the same."""
    for row in _stored.rows(organization=organization_id):
        yield from row["sealed"]["secrets"].values()
