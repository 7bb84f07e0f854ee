"""Adding a site, changing one, and its environment."""

from typing import Any

from django import forms

from deploynix.forms import SecretTextarea
from servers.models import PHP_VERSIONS
from sites.models import Site, Type

CODE = {"class": "font-monospace", "autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}


class Lines(forms.CharField):
    """A list of texts, one on each line."""

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": 2, **CODE}), required=False, **options)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        return [line.strip() for line in super().clean(value).splitlines() if line.strip()]


class SiteForm(forms.Form):
    domain = forms.CharField(max_length=253, help_text="For example shop.example.com. It should point to the server.")
    aliases = Lines(help_text="Other names that the site answers to, one a line.")
    type = forms.ChoiceField(choices=Type.choices, initial=Type.STATIC)
    repository_url = forms.CharField(
        label="Repository",
        max_length=500,
        widget=forms.TextInput(attrs=CODE),
        help_text="https://host/path or git@host:path, without user name and password. A private repository is read"
        " over SSH with a deploy key, which the next page shows.",
    )
    branch = forms.CharField(max_length=255, initial="main", widget=forms.TextInput(attrs=CODE))
    web_root = forms.CharField(
        max_length=255,
        required=False,
        widget=forms.TextInput(attrs=CODE),
        help_text="The folder of the repository that is served, such as public. Empty for all of it.",
    )
    build_commands = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, **CODE}),
        help_text="One command a line, run one after the other in the release's folder. The first that fails stops the"
        " deploy, and the release before stays live.",
    )
    health_path = forms.CharField(
        max_length=255,
        initial="/",
        widget=forms.TextInput(attrs=CODE),
        help_text="A release goes live only once this path answers with a status below 400.",
    )
    shared_folders = Lines(help_text="Folders that all releases share, such as storage, one a line.")
    php_version = forms.ChoiceField(
        label="PHP version",
        required=False,
        choices=[("", "The server's"), *((version, f"PHP {version}") for version in PHP_VERSIONS)],
    )

    @classmethod
    def of(cls, site: Site, data: Any = None) -> "SiteForm":
        return cls(data, initial={name: getattr(site, name) for name in cls.base_fields})


class VariableForm(forms.Form):
    name = forms.CharField(max_length=128, widget=forms.TextInput(attrs=CODE))
    value = forms.CharField(
        required=False,
        strip=False,
        widget=SecretTextarea(attrs={"rows": 2, **CODE}),
        help_text="It is stored encrypted.",
    )


class ValueForm(forms.Form):
    value = forms.CharField(
        label="New value",
        required=False,
        strip=False,
        widget=SecretTextarea(attrs={"rows": 3, **CODE}),
        help_text="It replaces the value, which is not shown.",
    )
