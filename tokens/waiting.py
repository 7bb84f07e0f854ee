"""The secrets of keys that wait to be handed over, for the redactor."""

from collections.abc import Iterator

from deploynix.prepared import Prepared
from tokens.models import Handover

_waiting = Prepared(lambda organization: Handover.objects.filter(token__organization_id=organization).values("text"))


def secrets(organization_id: str) -> Iterator[str]:
    for row in _waiting.rows(organization=organization_id):
        yield row["text"]
