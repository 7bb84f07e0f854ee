"""The secrets of an organization's certificates, for the redactor."""

from collections.abc import Iterator

from certificates.models import Account, Issuance, IssuanceStatus
from deploynix.prepared import Prepared

_accounts = Prepared(
    lambda organization: Account.objects.filter(organization=organization).values("private_key", "eab_key")
)
# Those that are served, or about to be: no job has any other key in its hands.
_keys = Prepared(
    lambda organization: Issuance.objects.filter(
        certificate__organization=organization, status__in=(IssuanceStatus.ORDERED, IssuanceStatus.ISSUED)
    ).values("private_key")
)


def secrets(organization_id: str) -> Iterator[str]:
    """Each private key, and what binds an account to its customer."""
    for row in _accounts.rows(organization=organization_id):
        yield from row.values()
    yield from (row["private_key"] for row in _keys.rows(organization=organization_id))
