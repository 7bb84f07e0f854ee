"""The form of a new token."""

from datetime import UTC, datetime, time
from typing import Any

from django import forms
from django.utils import timezone

from deploynix.abilities import ABILITIES
from deploynix.actor import Actor

_NAMES = {"env": "Environment variables", "ssh-key": "SSH key"}


class TokenForm(forms.Form):
    name = forms.CharField(
        max_length=255,
        help_text="Say what it is for, for example “CI pipeline”.",
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off"}),
    )
    expires_on = forms.DateField(
        required=False,
        label="Last day",
        help_text="It ends with this day, in UTC. Without one it is good until it is revoked.",
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    everything = forms.BooleanField(required=False, label="Everything my role may do")
    abilities = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(name, text) for name, text in ABILITIES.items() if actor.can(name)]
        self.fields["abilities"].choices = choices  # type: ignore[attr-defined]

    def clean_expires_on(self) -> datetime | None:
        day = self.cleaned_data["expires_on"]
        if day is None:
            return None
        end = datetime.combine(day, time.max, tzinfo=UTC)
        if end <= timezone.now():
            raise forms.ValidationError("This day is over.")
        return end

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if not values.get("everything") and not values.get("abilities"):
            self.add_error("abilities", "Choose at least one ability, or everything.")
        return values

    @property
    def wanted(self) -> dict[str, Any]:
        """What `tokens.actions.create_token` takes."""
        values = self.cleaned_data
        abilities = None if values["everything"] else values["abilities"]
        return {"name": values["name"], "abilities": abilities, "expires_at": values["expires_on"]}

    def groups(self) -> list[tuple[str, list[Any]]]:
        """The checkboxes of `abilities`, by resource."""
        groups: dict[str, list[Any]] = {}
        for box in self["abilities"]:
            resource = str(box.data["value"]).partition(":")[0]
            name = _NAMES.get(resource) or resource.replace("-", " ").capitalize()
            groups.setdefault(name, []).append(box)
        return list(groups.items())
