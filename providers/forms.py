"""The form of a credential, made from what its provider declares."""

from typing import Any

from django import forms
from django.forms.boundfield import BoundField

from deploynix.forms import CODE, SecretTextarea
from providers.base import Field, Provider
from providers.models import Credential
from providers.values import replaced_names

KEEP = "Leave it empty to keep the one that is stored."
# What may be sent along while somebody still types: the page asks for the policy with it.
PUBLIC = {"data-public": ""}


class ValuesForm(forms.Form):
    """One field for each that is declared, named as the action calls it in an error: `values.<field>`."""

    def __init__(self, data: Any = None, *, declared: tuple[Field, ...], initial: dict[str, Any], keeps: bool) -> None:
        super().__init__(data, initial=initial)
        self.declared = declared
        for field in declared:
            self.fields[f"values.{field.name}"] = _form_field(field, keeps=keeps)

    @property
    def values(self) -> dict[str, str]:
        return {field.name: self.cleaned_data[f"values.{field.name}"] for field in self.declared}

    @property
    def value_fields(self) -> list[BoundField]:
        return [self[f"values.{field.name}"] for field in self.declared]


class CredentialForm(ValuesForm):
    name = forms.CharField(max_length=100, help_text="What it is called here.")

    @classmethod
    def new(cls, declaration: type[Provider], data: Any = None) -> "CredentialForm":
        defaults = {f"values.{field.name}": field.default for field in declaration.fields}
        return cls(data, declared=declaration.fields, initial={"name": declaration.label, **defaults}, keeps=False)

    @classmethod
    def of(cls, credential: Credential, data: Any = None) -> "CredentialForm":
        initial = {"name": credential.name, **_initial(credential)}
        return cls(data, declared=credential.declaration.fields, initial=initial, keeps=True)


def _initial(credential: Credential) -> dict[str, Any]:
    return {f"values.{name}": value for name, value in credential.settings.items()}


def secret_form(credential: Credential, data: Any = None) -> ValuesForm:
    """Asks for the secrets, and for what changes with them."""
    declaration = credential.declaration
    replaced = replaced_names(declaration)
    declared = tuple(field for field in declaration.fields if field.name in replaced)
    return ValuesForm(data, declared=declared, initial=_initial(credential), keeps=False)


def _form_field(field: Field, *, keeps: bool) -> forms.Field:
    is_kept = keeps and field.secret
    options: dict[str, Any] = {
        "label": field.label,
        "required": field.required and not is_kept,
        "help_text": f"{field.help_text} {KEEP}".strip() if is_kept else field.help_text,
    }
    if field.choices:
        empty = [] if field.required else [("", "")]
        widget = forms.Select(attrs=PUBLIC)
        return forms.ChoiceField(choices=[*empty, *field.choices], widget=widget, **options)
    return forms.CharField(widget=_widget(field), strip=not field.is_long, **options)


def _widget(field: Field) -> forms.Widget:
    if field.secret and field.is_long:
        return SecretTextarea(attrs={"rows": 6, **CODE})
    if field.secret:
        # A browser must not offer, or keep, somebody's own password here.
        return forms.PasswordInput(attrs={**CODE, "autocomplete": "new-password"})
    if field.is_long:
        return forms.Textarea(attrs={"rows": 6, **CODE, **PUBLIC})
    return forms.TextInput(attrs={**CODE, **PUBLIC})
