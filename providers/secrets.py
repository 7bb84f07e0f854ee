"""The secrets of an organization's credentials, for the redactor."""

from collections.abc import Iterator

from providers.models import Credential


def secrets(organization_id: str) -> Iterator[str]:
    """Whichever row they stand in: what does not open for its row is a secret all the same."""
    rows = Credential.objects.filter(organization_id=organization_id)
    for sealed in rows.values_list("sealed", flat=True):
        yield from sealed["secrets"].values()
