"""What the pages of activity and errors can be narrowed to."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from activity.analytics import Period
from activity.models import ActivityEvent
from deploynix.actor import Actor
from sites.models import Site


def site_choices(actor: Actor) -> list[tuple[str, str]]:
    """Id and domain of each site that the actor may see, after one for all of them."""
    sites = Site.objects.visible_to(actor).order_by("domain").values_list("pk", "domain")
    return [("", "All"), *sites]


class ActivityFilter(forms.Form):
    """Days are UTC, both ends included; `period` is the default one where those given make none."""

    site = forms.ChoiceField(required=False)
    kind = forms.CharField(required=False, max_length=64)
    actor = forms.CharField(required=False, max_length=255)

    def __init__(self, data: Any, *, actor: Actor) -> None:
        super().__init__(data)
        self.fields["site"].choices = site_choices(actor)  # type: ignore[attr-defined]
        # `from` cannot be the name of an attribute.
        self.fields |= {name: _day() for name in ("from", "to")}
        self.period = Period.of(None, None)

    def clean(self) -> dict[str, Any]:
        asked: dict[str, date | None] = {name: self.cleaned_data.get(name) for name in ("from", "to")}
        try:
            self.period = Period.of(asked["from"], asked["to"])
        except ValidationError as error:
            self.add_error(None, error)
        return self.cleaned_data

    def apply(self, events: QuerySet[ActivityEvent]) -> QuerySet[ActivityEvent]:
        """The events asked for; none where the query string makes no sense."""
        if not self.is_valid():
            return events.none()
        asked = {name: self.cleaned_data[name] for name in ("site", "kind", "actor")}
        return self.period.of_events(events.filter(**{name: value for name, value in asked.items() if value}))

    @property
    def is_narrowed(self) -> bool:
        return any(self.data.get(name) for name in self.fields)


def _day() -> forms.DateField:
    return forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))
