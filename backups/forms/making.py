"""Of what a backup is made, where it goes, and for whose eyes."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from django import forms

from backups.keys import LONGEST
from backups.models import Encryption
from deploynix.forms import CODE
from providers.models import Credential
from servers.models import Database
from sites.models import Site


def choose(form: forms.Form, name: str, choices: Iterable[tuple[Any, Any]]) -> None:
    """Gives a field what there is to choose from."""
    cast(forms.ChoiceField, form.fields[name]).choices = list(choices)


class Targets:
    """What backups can be made of, by the word in a form: `database:<id>` or `site:<id>`."""

    def __init__(self, databases: Iterable[Database], sites: Iterable[Site]) -> None:
        self.databases = {f"database:{row.pk}": row for row in databases}
        self.sites = {f"site:{row.pk}": row for row in sites}

    def __bool__(self) -> bool:
        return bool(self.databases or self.sites)

    def __contains__(self, word: object) -> bool:
        return word in self.databases or word in self.sites

    @property
    def choices(self) -> list[tuple[str, Any]]:
        groups: dict[str, Mapping[str, Any]] = {"Databases": self.databases, "Applications": self.sites}
        return [
            ("", "Choose one"),
            *(
                (label, [(word, f"{row} on {row.server.name}") for word, row in rows.items()])
                for label, rows in groups.items()
                if rows
            ),
        ]

    def values(self, word: str) -> dict[str, Database | Site]:
        """What the action takes."""
        return {"database": self.databases[word]} if word in self.databases else {"site": self.sites[word]}


class StorageForm(forms.Form):
    """Where to, and encrypted for whom."""

    credential_id = forms.ChoiceField(label="Store", help_text="The bucket that it goes to.")
    encryption = forms.ChoiceField(
        choices=Encryption.choices,
        initial=Encryption.NONE,
        help_text="Before it leaves the server, for a key whose private half only you have. Whoever restores gives it."
        " Lose it, and the backups are lost.",
    )
    recipient = forms.CharField(
        label="Public key",
        max_length=LONGEST,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, **CODE}),
        help_text="For age a line age1... or an SSH public key; for OpenPGP a block that gpg --armor --export prints.",
    )

    def __init__(self, *args: Any, credentials: Iterable[Credential], **options: Any) -> None:
        super().__init__(*args, **options)
        self.credentials = {row.pk: row for row in credentials}
        choose(self, "credential_id", ((pk, row.name) for pk, row in self.credentials.items()))

    def clean(self) -> dict[str, Any]:
        super().clean()
        self.cleaned_data["credential"] = self.credentials.get(self.cleaned_data.pop("credential_id", ""))
        return self.cleaned_data


class TargetMixin(forms.Form):
    """Asks what the backup is of."""

    def __init__(self, *args: Any, targets: Targets, **options: Any) -> None:
        super().__init__(*args, **options)
        self.targets = targets
        choose(self, "target", targets.choices)

    @property
    def values(self) -> dict[str, Any]:
        """What the action takes."""
        given = dict(self.cleaned_data)
        return given | self.targets.values(given.pop("target"))


class BackupForm(TargetMixin, StorageForm):
    target = forms.ChoiceField(
        label="Of", help_text="Of an application: what the releases of its site share, such as uploads."
    )

    field_order = ("target",)
