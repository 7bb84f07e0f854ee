"""The forms of people and organizations. Rules that the actions check are not repeated here."""

from typing import Any, cast

from django import forms

from organizations.models import Role


def _password() -> forms.CharField:
    return forms.CharField(
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 10 characters.",
    )


class InvitedSignUpForm(forms.Form):
    name = forms.CharField(
        max_length=255, label="Your name", widget=forms.TextInput(attrs={"autocomplete": "name", "autofocus": True})
    )
    password = _password()


class SignUpForm(forms.Form):
    name = forms.CharField(
        max_length=255, label="Your name", widget=forms.TextInput(attrs={"autocomplete": "name", "autofocus": True})
    )
    email = forms.EmailField(widget=forms.EmailInput(attrs={"autocomplete": "email"}))
    password = _password()
    organization = forms.CharField(
        max_length=255,
        label="Name of the organization",
        help_text="Servers and sites belong to it. You can change the name later, and invite people.",
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )


class NameForm(forms.Form):
    name = forms.CharField(max_length=255)


class RoleForm(forms.Form):
    """`roles` are those that the person who chooses may give."""

    role = forms.ChoiceField()

    def __init__(self, *args: Any, roles: list[Role], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast(forms.ChoiceField, self.fields["role"])
        field.choices = [(role.value, role.label) for role in roles]


class InvitationForm(RoleForm):
    email = forms.EmailField(widget=forms.EmailInput(attrs={"autofocus": True}))

    field_order = ("email", "role")
