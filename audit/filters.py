"""What the audit log can be narrowed to; the page and the export read the same query string."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import reduce
from operator import or_
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import Q

from audit.events import EVENTS, TARGETS
from audit.models import AuditQuerySet
from deploynix.ids import first_id_at

_SEARCHED = ("actor", "target", "ip", "event")


def _day() -> forms.DateField:
    return forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))


def _choice(choices: Iterable[tuple[str, str]]) -> forms.ChoiceField:
    return forms.ChoiceField(required=False, choices=[("", "All"), *choices])


class AuditFilter(forms.Form):
    """`people` are the (user id, address) pairs to choose from. Days are UTC, both ends included."""

    event = _choice(EVENTS.items())
    person = _choice(())
    target_type = _choice(TARGETS.items())
    since = _day()
    until = _day()
    q = forms.CharField(required=False, label="Text", max_length=200)

    def __init__(self, data: Any, *, people: Iterable[tuple[str, str]]) -> None:
        super().__init__(data)
        self.fields["person"].choices = [("", "All"), *people]  # type: ignore[attr-defined]
        self.fields["target_type"].label = "Target"

    def apply(self, rows: AuditQuerySet) -> AuditQuerySet:
        """The rows asked for, newest first; none where the query string makes no sense."""
        if not self.is_valid():
            return rows.none()
        asked = {name: value for name, value in self.cleaned_data.items() if value}
        conditions = [_CONDITIONS[name](value) for name, value in asked.items()]
        return rows.filter(*conditions).order_by("-id")

    def query(self) -> str:
        """The query string of this filter, without the page."""
        return urlencode({name: self.data[name] for name in self.fields if self.data.get(name)})


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _holds(text: str) -> Q:
    return reduce(or_, (Q(**{f"{name}__icontains": text}) for name in _SEARCHED))


_CONDITIONS: dict[str, Any] = {
    "event": lambda value: Q(event=value),
    "person": lambda value: Q(user=value),
    "target_type": lambda value: Q(target_type=value),
    "since": lambda day: Q(id__gte=first_id_at(_midnight(day))),
    "until": lambda day: Q(id__lt=first_id_at(_midnight(day + timedelta(days=1)))),
    "q": _holds,
}
