"""Where a backup is restored to, and what has to be said before; drills."""

from collections.abc import Iterable
from typing import Any

from django import forms

from backups.forms.making import choose
from backups.keys import LONGEST
from backups.models import Backup
from backups.models.schedules import LONGEST_QUERY
from deploynix.forms import CODE, SecretTextarea
from servers.models import Server
from sites.models import Site

OWN, BESIDE, ELSEWHERE = "own", "beside", "elsewhere"


class DatabasePlaceForm(forms.Form):
    """Where a backup of a database is restored to. `servers` are those that could take it, its own among them."""

    where = forms.ChoiceField(label="Where to", widget=forms.RadioSelect)
    server = forms.ChoiceField(required=False, help_text="Only servers with the same kind of databases can take it.")
    name = forms.CharField(
        max_length=64,
        required=False,
        widget=forms.TextInput(attrs=CODE),
        help_text="Letters, digits, underscores and dashes; a letter first. On another server it may keep its name.",
    )

    def __init__(self, data: Any, *, backup: Backup, servers: Iterable[Server]) -> None:
        super().__init__(data)
        self.backup = backup
        self.servers = {row.pk: row for row in servers}
        self.own = self.servers.get(backup.server_id or "")
        others = [(pk, row.name) for pk, row in self.servers.items() if row != self.own]
        here = f"on {self.own}"
        near = [(OWN, f"{backup.name} {here}, where it was made"), (BESIDE, f"A database of another name {here}")]
        choices = near if self.own else []
        choose(self, "where", [*choices, (ELSEWHERE, "Another server")] if others else choices)
        choose(self, "server", [("", "Choose one"), *others])
        self.initial = {"where": OWN if self.own else ELSEWHERE}
        self.has_place = bool(self.servers)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        where, server = given.get("where"), given.pop("server", "")
        if where == BESIDE and not given.get("name"):
            self.add_error("name", "Give the name of the database.")
        if where == ELSEWHERE and not server:
            self.add_error("server", "Choose a server.")
        return given | {"server": self.servers.get(server) if where == ELSEWHERE else self.own}

    @property
    def place(self) -> dict[str, Any]:
        """What the action takes."""
        given = self.cleaned_data
        own_name = self.backup.name
        return {"server": given["server"], "name": own_name if given["where"] == OWN else given["name"] or own_name}


class SitePlaceForm(forms.Form):
    """Into which site the files of one are restored."""

    site = forms.ChoiceField(label="Where to", help_text="What its releases share is replaced.")

    def __init__(self, data: Any, *, backup: Backup, sites: Iterable[Site]) -> None:
        super().__init__(data, initial={"site": backup.site_id})
        self.sites = {row.pk: row for row in sites}
        self.has_place = bool(self.sites)
        choose(self, "site", ((pk, f"{row} on {row.server.name}") for pk, row in self.sites.items()))

    @property
    def place(self) -> dict[str, Any]:
        """What the action takes."""
        return {"site": self.sites[self.cleaned_data["site"]]}


class RestoreForm(forms.Form):
    """What has to be said before a restore begins: the key of what is encrypted, the name of what is replaced."""

    identity = forms.CharField(
        label="Private key",
        max_length=LONGEST,
        strip=False,
        widget=SecretTextarea(attrs={"rows": 5, **CODE}),
        help_text="That which belongs to the public key that the backup is encrypted for, without a passphrase. It is"
        " kept encrypted until the restore has ended, and then forgotten.",
    )
    confirm = forms.CharField(widget=forms.TextInput(attrs=CODE))

    def __init__(self, *args: Any, is_encrypted: bool, confirmation: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.confirmation = confirmation
        if not is_encrypted:
            del self.fields["identity"]
        if confirmation:
            self.fields["confirm"].label = f"Type {confirmation} to confirm"
        else:
            del self.fields["confirm"]

    def clean_confirm(self) -> str:
        if self.cleaned_data["confirm"].strip() != self.confirmation:
            raise forms.ValidationError(f"Type {self.confirmation} to confirm that it is replaced.")
        return self.confirmation


class DrillForm(forms.Form):
    query = forms.CharField(
        max_length=LONGEST_QUERY,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, **CODE}),
        help_text="One SELECT that has to give at least one row, such as SELECT 1 FROM orders LIMIT 1. May be empty.",
    )
