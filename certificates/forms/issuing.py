"""What is to be issued, and by whom."""

from collections.abc import Iterable, Iterator
from typing import Any, cast

from django import forms

from certificates.acme.directories import DEFAULT, DIRECTORIES
from certificates.models import Challenge, KeyType
from deploynix.forms import CODE, Lines
from providers.models import Credential
from sites.models import Site

OTHER = "other"
# Of the field of names, which shows all of a usual site.
MOST_ROWS = 8


def _groups() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Those that serve everybody come first: of the others the page asks for an external account."""
    for label, needs_binding in (("For everybody", False), ("With an external account", True)):
        yield label, [(key, one.label) for key, one in DIRECTORIES.items() if one.needs_binding is needs_binding]


class NamesForm(forms.Form):
    """The names, and how they are proven: what the page looks into while it is typed."""

    names = Lines(help_text="One a line: names of the site, or wildcards that stand for one of them.")
    wildcard = forms.BooleanField(
        required=False, help_text="Aliases that the site gets later need no other certificate, then."
    )
    domain = forms.CharField(
        label="Your domain",
        max_length=255,
        required=False,
        widget=forms.TextInput(attrs=CODE),
        help_text="Names at or below it may be among the names, too. May be empty.",
    )
    challenge = forms.ChoiceField(
        label="Proven by", choices=[("", "What fits the names"), *Challenge.choices], required=False
    )
    credential_id = forms.ChoiceField(
        label="DNS credential",
        required=False,
        help_text="The account that holds the domain's zone. Nothing has to be chosen: it is looked for.",
    )

    def __init__(self, *args: Any, site: Site, credentials: Iterable[Credential], **options: Any) -> None:
        own = [site.domain, *site.aliases]
        options["initial"] = {"names": own} | (options.get("initial") or {})
        super().__init__(*args, **options)
        self.fields["names"].widget.attrs["rows"] = min(len(own) + 1, MOST_ROWS)
        self.site = site
        self.apex = site.domain.removeprefix("www.")
        self.fields["wildcard"].label = f"And all names below {self.apex} (*.{self.apex})"
        self.credentials = {row.pk: row for row in credentials}
        choices = [("", "Look for it"), *((pk, row.name) for pk, row in self.credentials.items())]
        cast(forms.ChoiceField, self.fields["credential_id"]).choices = choices

    def clean(self) -> dict[str, Any]:
        """The wildcard takes its place among the names."""
        super().clean()
        given = self.cleaned_data
        given["credential"] = self.credentials.get(given.pop("credential_id", ""))
        if given.pop("wildcard", False):
            given["names"] = [*given["names"], f"*.{self.apex}"]
        return given


class CertificateForm(NamesForm):
    directory = forms.ChoiceField(
        label="Authority",
        choices=[*_groups(), (OTHER, "Another one that speaks ACME")],
        initial=DEFAULT,
        help_text="A staging one issues for practice: no browser trusts it, and its limits are generous.",
    )
    directory_url = forms.URLField(
        label="Address of its directory",
        max_length=500,
        required=False,
        assume_scheme="https",
        widget=forms.URLInput(attrs=CODE),
    )
    eab_kid = forms.CharField(
        label="Key id",
        max_length=255,
        required=False,
        widget=forms.TextInput(attrs=CODE),
        help_text="Of the external account binding that the authority gave you. Empty where the organization is known "
        "to it already, or where it asks for none.",
    )
    eab_key = forms.CharField(
        label="HMAC key",
        max_length=1000,
        required=False,
        widget=forms.PasswordInput(attrs=CODE),
        help_text="In base64url. It is stored encrypted, and not shown again.",
    )
    email = forms.EmailField(
        label="Mail address", required=False, help_text="Where the authority reaches you. May be empty."
    )
    key_type = forms.ChoiceField(
        label="Key",
        choices=KeyType.choices,
        initial=KeyType.ECDSA,
        help_text="RSA for very old programs.",
    )
    preferred_chain = forms.CharField(
        max_length=255,
        required=False,
        widget=forms.TextInput(attrs=CODE),
        help_text="The common name of the root, where the authority offers several chains. May be empty.",
    )

    @property
    def values(self) -> dict[str, Any]:
        """What the action takes."""
        given = dict(self.cleaned_data)
        directory = given.pop("directory")
        return given if directory == OTHER else given | {"directory_url": directory}

    def clean(self) -> dict[str, Any]:
        super().clean()
        if self.cleaned_data.get("directory") == OTHER and not self.cleaned_data.get("directory_url"):
            self.add_error("directory_url", "Give the address.")
        return self.cleaned_data
