"""What every report goes through: the site that it names, and the organization's redactor."""

from collections.abc import Iterable
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from deploynix.actor import Actor
from deploynix.errors import Invalid
from deploynix.redact import Redactor, secrets_of
from sites.models import Site

Rows = TypeVar("Rows", bound=QuerySet[Any])


class ReportedSites:
    """The sites that an actor may report about, of those that its reports name by id."""

    def __init__(self, actor: Actor, ids: Iterable[str | None]) -> None:
        self._is_limited = actor.resources is not None
        named = {pk for pk in ids if pk}
        self._sites = Site.objects.visible_to(actor).only("pk").in_bulk(named) if named else {}

    def get(self, pk: str | None) -> Site | None:
        """Raises ValidationError for a site that the actor cannot see, and for none where its token is limited."""
        if pk and pk in self._sites:
            return self._sites[pk]
        if pk:
            raise ValidationError({"site_id": "The selected site id is invalid."})
        if self._is_limited:
            raise ValidationError({"site_id": "This token is limited to some sites: name the one that this is about."})
        return None


def about_site(rows: Rows, actor: Actor, pk: str | None) -> Rows:
    """Those of the rows that are about this site; all for None. Raises Invalid for a site that the actor cannot see."""
    if not pk:
        return rows
    if not Site.objects.visible_to(actor).filter(pk=pk).exists():
        raise Invalid({"site": ["The selected site is invalid."]})
    return rows.filter(site=pk)


class ReportRedactor:
    """Takes the organization's secrets out of texts and JSON, and NUL, which PostgreSQL cannot store."""

    def __init__(self, actor: Actor) -> None:
        self._redactor = Redactor(secrets_of(actor.organization.pk))

    def text(self, text: str, most: int | None = None) -> str:
        """At most `most` characters: what stands in the place of a secret may be longer."""
        return self._redactor.redact(text).replace("\0", "\ufffd")[:most]

    def json(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.json(item) for item in value]
        if isinstance(value, dict):
            return {self.text(name): self.json(item) for name, item in value.items()}
        return value
