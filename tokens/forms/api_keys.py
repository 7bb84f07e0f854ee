"""The forms of a new API key, and of one that is changed."""

from typing import Any

from django import forms

from deploynix.actor import Actor
from deploynix.api.rates import rate_of
from deploynix.forms import CODE, Lines
from tokens.forms.parts import Boxes, LastDay, LimitedForm, name_field
from tokens.models import ApiKey, Environment, RateType
from tokens.models.token import LONGEST_DESCRIPTION
from tokens.resources import NAMES
from tokens.vocabularies import DUTY_WORDS, RESOURCE_WORDS, VOCABULARIES

_ENVIRONMENTS = [
    (Environment.LIVE, "Live: what it asks for is done"),
    (Environment.TEST, "Test: a dry run, which answers as in earnest and changes nothing"),
]
# The fields that `LimitedForm.limit` puts together.
_LIMIT = {"is_limited", *NAMES}


class RateChoice(forms.RadioSelect):
    """Offers no key without limits where the plan has none."""

    closed: frozenset[str] = frozenset()

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        option["attrs"]["disabled"] = value in self.closed
        return option


class ApiKeyForm(LimitedForm):
    """Its fields are named as `tokens.actions.create_api_key` names them."""

    name = name_field("Production monitoring")
    description = forms.CharField(
        required=False, max_length=LONGEST_DESCRIPTION, widget=forms.Textarea(attrs={"rows": 2})
    )
    environment = forms.ChoiceField(choices=_ENVIRONMENTS, initial=Environment.LIVE, widget=forms.RadioSelect)
    active = forms.BooleanField(required=False, initial=True, help_text="A key that is switched off opens nothing.")
    permissions = Boxes()
    expires_at = LastDay()
    ip_whitelist = Lines(
        label="Allowed addresses",
        help_text="Addresses and networks, IPv4 and IPv6, one a line, such as 203.0.113.0/24. Empty lets everybody in.",
    )
    rate_limit = forms.ChoiceField(label="Rate type", initial=RateType.STANDARD, widget=RateChoice)
    auto_rotate = forms.BooleanField(required=False, label="Rotate it on schedule")
    rotation_period = forms.CharField(
        required=False,
        max_length=8,
        widget=forms.TextInput(attrs={"placeholder": "90d", **CODE}),
        help_text="How often: a number of hours, days or weeks, such as 90d.",
    )
    grace_period = forms.CharField(
        initial="7d",
        max_length=8,
        widget=forms.TextInput(attrs=CODE),
        help_text="How long the old secret goes on working beside the new one.",
    )
    notification_email = forms.EmailField(
        required=False,
        help_text=(
            "Gets warnings about the key, and the link that shows a new secret, once and to somebody who signs in."
            " Empty for the person who made it."
        ),
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, actor=actor, **kwargs)
        words = {**RESOURCE_WORDS.texts, **DUTY_WORDS.texts}
        self.fields["permissions"].choices = words.items()  # type: ignore[attr-defined]
        self._offer_rates(actor)

    @property
    def resource_permissions(self) -> list[Any]:
        return [box for box in self["permissions"] if box.data["value"] in RESOURCE_WORDS.opens]

    @property
    def duty_permissions(self) -> list[Any]:
        return [box for box in self["permissions"] if box.data["value"] in DUTY_WORDS.opens]

    @property
    def wanted(self) -> dict[str, Any]:
        """What `tokens.actions.create_api_key` takes."""
        return {name: self.cleaned_data[name] for name in self.fields if name not in _LIMIT} | self.limit

    def _offer_rates(self, actor: Actor) -> None:
        field: Any = self.fields["rate_limit"]
        is_open = actor.organization.plan_details.unlimited_rate
        field.choices = [(rate.value, _rate_text(rate, is_open)) for rate in RateType]
        if not is_open and self.initial.get("rate_limit") != RateType.UNLIMITED:
            field.widget.closed = frozenset({RateType.UNLIMITED.value})


class ApiKeyChangeForm(ApiKeyForm):
    """Everything of a key but its secret and its environment; its permissions stay of the same sort."""

    def __init__(self, *args: Any, key: ApiKey, **kwargs: Any) -> None:
        super().__init__(*args, initial=_current(key), **kwargs)
        del self.fields["environment"]
        self.fields["permissions"].choices = VOCABULARIES[key.prefix].texts.items()  # type: ignore[attr-defined]

    @property
    def changes(self) -> dict[str, Any]:
        """What `tokens.actions.update_api_key` takes: only what the person changed."""
        changed = set(self.changed_data)
        settings = {name: self.cleaned_data[name] for name in changed - _LIMIT}
        return settings | (self.limit if changed & _LIMIT else {})


def _current(key: ApiKey) -> dict[str, Any]:
    same = ("name", "description", "expires_at", "auto_rotate", "rotation_period", "grace_period", "notification_email")
    return {
        **{name: getattr(key, name) for name in same},
        **(key.resources or {}),
        "active": key.is_active,
        "permissions": key.grants,
        "ip_whitelist": key.ip_allowlist,
        "is_limited": key.resources is not None,
        "rate_limit": key.rate_type,
    }


def _rate_text(rate: RateType, is_open: bool) -> str:
    per_hour, per_minute = rate_of(rate)
    if per_hour is None or per_minute is None:
        return f"{rate.label}" + ("" if is_open else ": needs the Enterprise plan")
    return f"{rate.label}: {per_hour:,} requests an hour, {per_minute:,} a minute"
