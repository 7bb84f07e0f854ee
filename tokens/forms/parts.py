"""What the forms of several kinds of token have in common."""

from datetime import UTC, date, datetime, time
from operator import itemgetter
from typing import Any

from django import forms

from deploynix.actor import Actor
from tokens.resources import NAMES, choices


def name_field(example: str) -> forms.CharField:
    return forms.CharField(
        max_length=255,
        help_text=f"Say what it is for, for example “{example}”.",
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off"}),
    )


class LastDay(forms.DateField):
    """The day that something ends with, as the moment of its end in UTC."""

    def __init__(self) -> None:
        super().__init__(
            required=False,
            label="Last day",
            help_text="It ends with this day, in UTC. Without one it never expires.",
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        )

    def clean(self, value: Any) -> datetime | None:
        day: date | None = super().clean(value)
        return datetime.combine(day, time.max, tzinfo=UTC) if day else None

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(initial and initial.date(), data)


class Boxes(forms.MultipleChoiceField):
    """Several of a list, each with a box to tick. Where one must be chosen, the action says so."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, **options)


class LimitedForm(forms.Form):
    """A token that may be limited to some of the servers and sites that its maker sees."""

    is_limited = forms.BooleanField(required=False, label="Only the servers and sites chosen here")
    servers = Boxes(help_text="A server stands for its sites, too, also for those that it gets later.")
    sites = Boxes()

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in NAMES:
            self.fields[name].choices = sorted(choices(actor, name), key=itemgetter(1))  # type: ignore[attr-defined]

    @property
    def limit(self) -> dict[str, list[str] | None]:
        """What the actions take as `servers` and `sites`."""
        values = self.cleaned_data
        return {name: values[name] if values["is_limited"] else None for name in NAMES}
