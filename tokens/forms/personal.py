"""The form of a new personal token."""

from typing import Any

from django import forms

from deploynix.abilities import ABILITIES
from deploynix.actor import Actor
from tokens.forms.parts import Boxes, LastDay, LimitedForm, name_field

_NAMES = {"env": "Environment variables", "ssh-key": "SSH key"}


class TokenForm(LimitedForm):
    name = name_field("CI pipeline")
    expires_at = LastDay()
    everything = forms.BooleanField(required=False, label="Everything my role may do")
    abilities = Boxes()

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, actor=actor, **kwargs)
        choices = [(name, text) for name, text in ABILITIES.items() if actor.can(name)]
        self.fields["abilities"].choices = choices  # type: ignore[attr-defined]

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
        return {"name": values["name"], "abilities": abilities, "expires_at": values["expires_at"], **self.limit}

    def groups(self) -> list[tuple[str, list[Any]]]:
        """The checkboxes of `abilities`, by resource."""
        groups: dict[str, list[Any]] = {}
        for box in self["abilities"]:
            resource = str(box.data["value"]).partition(":")[0]
            name = _NAMES.get(resource) or resource.replace("-", " ").capitalize()
            groups.setdefault(name, []).append(box)
        return list(groups.items())
