"""The form of a new access token."""

from typing import Any

from django import forms

from tokens.forms.parts import Boxes, LastDay, LimitedForm, name_field
from tokens.passphrase import HEADER, LONGEST, SHORTEST
from tokens.vocabularies import SCOPE_WORDS


class AccessTokenForm(LimitedForm):
    name = name_field("Deployment automation")
    scopes = Boxes(choices=SCOPE_WORDS.texts.items())
    passphrase = forms.CharField(
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=(
            f"Of {SHORTEST} to {LONGEST} characters. The token then opens nothing without it: programs send it in the"
            f" header {HEADER}. It cannot be read back either."
        ),
    )
    passphrase_again = forms.CharField(
        required=False,
        strip=False,
        label="The passphrase again",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    expires_at = LastDay()

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if values.get("passphrase") != values.get("passphrase_again"):
            self.add_error("passphrase_again", "The two passphrases differ.")
        return values

    @property
    def wanted(self) -> dict[str, Any]:
        """What `tokens.actions.create_access_token` takes."""
        values = {name: self.cleaned_data[name] for name in ("name", "scopes", "passphrase", "expires_at")}
        return values | self.limit
