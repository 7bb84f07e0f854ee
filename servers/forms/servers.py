"""Adding a server and changing one."""

from typing import Any

from django import forms

from deploynix.forms import SecretTextarea
from servers.actions import CHOICES, SETTINGS
from servers.models import PHP_VERSIONS, DatabaseType, Server

NO_PHP = ("", "None")


def php_choices() -> list[tuple[str, str]]:
    return [*((version, f"PHP {version}") for version in reversed(PHP_VERSIONS)), NO_PHP]


class ServerSettings(forms.Form):
    """What can change of a server. Where it is provisioned already, without what cannot change any more."""

    name = forms.CharField(max_length=64, help_text="Letters, digits, dots and dashes.")
    ip_address = forms.GenericIPAddressField(label="IP address")
    ssh_port = forms.IntegerField(label="SSH port", min_value=1, max_value=65535, initial=22)
    login_user = forms.CharField(
        label="User for the first sign-in",
        max_length=32,
        initial="root",
        help_text="root, or a user who may use sudo without a password.",
    )
    php_version = forms.ChoiceField(
        label="PHP version",
        choices=php_choices,
        required=False,
        help_text=(
            "Debian 12 has 8.2, Debian 13 has 8.4, Ubuntu 22.04 has 8.1 and Ubuntu 24.04 has 8.3. Another version is"
            " installed from the repository of Debian's PHP maintainer."
        ),
    )
    database_type = forms.ChoiceField(
        label="Database",
        choices=DatabaseType.choices,
        initial=DatabaseType.NONE,
        help_text="Debian has no MySQL: MariaDB takes its place there.",
    )
    monitoring_enabled = forms.BooleanField(label="Monitoring", required=False, initial=True)

    def clean_php_version(self) -> str | None:
        return self.cleaned_data["php_version"] or None

    @classmethod
    def of(cls, server: Server, data: Any = None) -> "ServerSettings":
        names = SETTINGS if server.provisioned_at else SETTINGS + CHOICES
        initial = {name: getattr(server, name) for name in names}
        form = cls(data, initial=initial | {"php_version": server.php_version or ""})
        for name in set(form.fields) - set(names):
            del form.fields[name]
        return form


class NewServer(ServerSettings):
    private_key = forms.CharField(
        label="Private key",
        required=False,
        strip=False,
        widget=SecretTextarea(
            attrs={"rows": 4, "class": "font-monospace", "autocomplete": "off", "spellcheck": "false"}
        ),
        help_text=(
            "A key without a passphrase that lets this user in. It is used until the server is provisioned and then"
            " forgotten. Leave it empty to let the server's own key in by hand: the next page shows the line to paste."
        ),
    )
    host_key = forms.CharField(
        label="Host key",
        required=False,
        widget=forms.TextInput(attrs={"class": "font-monospace", "autocomplete": "off", "spellcheck": "false"}),
        help_text=(
            "The text of /etc/ssh/ssh_host_ed25519_key.pub on the server. Without it, the key shown at first contact is"
            " pinned, and its fingerprint shown here for you to compare."
        ),
    )

    field_order = ("name", "ip_address", "ssh_port", "login_user", "private_key", "host_key")
