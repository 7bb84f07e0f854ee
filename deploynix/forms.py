"""Form parts that every app may use."""

from typing import Any

from django import forms


class SecretTextarea(forms.Textarea):
    """Takes a secret of several lines and never gives one back, also not where the form has to be shown again."""

    def format_value(self, value: Any) -> str | None:
        return None
