"""The secrets of keys that wait to be handed over, for the redactor."""

from collections.abc import Iterator

from tokens.models import Handover


def secrets(organization_id: str) -> Iterator[str]:
    waiting = Handover.objects.filter(token__organization_id=organization_id)
    yield from waiting.values_list("text", flat=True)
