"""The forms of applications and of the domains that are connected to them."""

from typing import Any

from django import forms
from django.forms import BaseFormSet, formset_factory

from deploynix.forms import CODE
from domains.models import Application, RecordType, Way
from domains.models.connections import LONGEST_VALUE
from domains.wanted import MOST_RECORDS

ROWS = 3


class ApplicationForm(forms.Form):
    name = forms.CharField(max_length=Application._meta.get_field("name").max_length)


class DomainForm(forms.Form):
    domain = forms.CharField(
        max_length=253, help_text="As people type it: shop.example.com", widget=forms.TextInput(attrs=CODE)
    )


class CredentialChoice(forms.Form):
    """An application's use of a credential that is connected already."""

    credential_id = forms.ChoiceField()

    def __init__(self, *args: Any, credentials: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["credential_id"].choices = credentials  # type: ignore[attr-defined]


class ConnectForm(forms.Form):
    """`records` are in forms of their own, and refused for as a whole here."""

    domain = forms.CharField(max_length=253, widget=forms.HiddenInput)
    way = forms.ChoiceField(choices=Way.choices)
    credential_id = forms.ChoiceField(
        required=False, help_text="Empty: the one that holds the domain's zone is looked for."
    )
    zone = forms.CharField(
        max_length=253,
        required=False,
        widget=forms.TextInput(attrs=CODE),
        help_text="Where the credential does not say it: the Hosted Zone ID at Route 53, the managed zone at Google.",
    )

    def __init__(self, *args: Any, credentials: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["credential_id"].choices = [("", "Look for it"), *credentials]  # type: ignore[attr-defined]


class RecordForm(forms.Form):
    type = forms.ChoiceField(choices=RecordType.choices, initial=RecordType.A)
    name = forms.CharField(
        max_length=253, required=False, widget=forms.TextInput(attrs={**CODE, "placeholder": "@ or www"})
    )
    value = forms.CharField(max_length=LONGEST_VALUE, widget=forms.TextInput(attrs=CODE))


class Records(BaseFormSet[RecordForm]):
    """The rows of wanted records; those that nobody filled in do not count."""

    @property
    def filled(self) -> list[RecordForm]:
        return [form for form in self.forms if form.has_changed()]


RecordFormSet = formset_factory(RecordForm, formset=Records, extra=ROWS, max_num=MOST_RECORDS)
