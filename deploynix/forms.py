"""Form parts that every app may use."""

from typing import Any

from django import forms

CODE = {"class": "font-monospace", "autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}


class SecretTextarea(forms.Textarea):
    """Takes a secret of several lines and never gives one back, also not where the form has to be shown again."""

    def format_value(self, value: Any) -> str | None:
        return None


class Lines(forms.CharField):
    """A list of texts, one on each line."""

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": 2, **CODE}), required=False, **options)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        return [line.strip() for line in super().clean(value).splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.clean(data) != list(initial or [])
