"""Creating a database, and letting a user in to one."""

from typing import Any

from django import forms

from deploynix.forms import CODE
from servers.models import LONGEST_NAME, DatabaseUser, Privileges, Server

_NEW_USER = "Small letters, digits and underscores. A new user's password is shown once, on the next page."


def _privileges() -> forms.ChoiceField:
    return forms.ChoiceField(
        label="May do",
        choices=Privileges.choices,
        initial=Privileges.ALL,
        help_text="Who is only reading sees whatever is there and will be there.",
    )


def _user_help(server: Server) -> str:
    known = list(DatabaseUser.objects.filter(server=server).order_by("name").values_list("name", flat=True)[:10])
    return f"{_NEW_USER} The server has these already: {', '.join(known)}." if known else _NEW_USER


class DatabaseForm(forms.Form):
    name = forms.CharField(
        max_length=LONGEST_NAME,
        widget=forms.TextInput(attrs=CODE),
        help_text="Letters, digits, underscores and dashes; a letter first.",
    )
    user = forms.CharField(max_length=32, required=False, widget=forms.TextInput(attrs=CODE))
    privileges = _privileges()

    def __init__(self, *args: Any, server: Server, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["user"].help_text = f"Leave it empty to let nobody in yet. {_user_help(server)}"


class DatabaseUserForm(forms.Form):
    name = forms.CharField(max_length=32, label="User", widget=forms.TextInput(attrs=CODE))
    privileges = _privileges()

    def __init__(self, *args: Any, server: Server, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["name"].help_text = _user_help(server)
