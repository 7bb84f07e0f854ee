"""A certificate that somebody has already."""

from typing import Any

from django import forms

from certificates.pem import LONGEST_TEXT
from deploynix.forms import CODE, SecretTextarea

PEM = {"rows": 6, "placeholder": "-----BEGIN", **CODE}


class UploadForm(forms.Form):
    """Texts or files, in PEM."""

    chain = forms.CharField(
        max_length=LONGEST_TEXT,
        required=False,
        widget=forms.Textarea(attrs=PEM),
        help_text="PEM: the certificate itself first, then those between it and the root.",
    )
    chain_file = forms.FileField(label="Or the file of the chain", required=False)
    private_key = forms.CharField(
        max_length=LONGEST_TEXT,
        required=False,
        widget=SecretTextarea(attrs=PEM),
        help_text="PEM, without a passphrase. It is stored encrypted, and not shown again.",
    )
    private_key_file = forms.FileField(label="Or the file of the key", required=False)

    def clean(self) -> dict[str, Any]:
        super().clean()
        for name in ("chain", "private_key"):
            file = self.cleaned_data.pop(f"{name}_file", None)
            if file and not self.cleaned_data.get(name):
                self._take(name, file.read(LONGEST_TEXT + 1))
            if not self.cleaned_data.get(name) and name not in self.errors:
                self.add_error(name, "Paste it, or choose its file.")
        return self.cleaned_data

    def _take(self, name: str, content: bytes) -> None:
        if len(content) > LONGEST_TEXT or not content.isascii():
            self.add_error(f"{name}_file", "This file is not PEM.")
        else:
            self.cleaned_data[name] = content.decode("ascii")
