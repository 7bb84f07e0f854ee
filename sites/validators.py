"""What a site's values may look like. They reach nginx, git and a shell, so each allows little and refuses the rest."""

import ipaddress
import re
from typing import Any

from django.core.exceptions import ValidationError

from deploynix.names import LABEL, WILDCARD, check_domain

MOST_ALIASES = 50
MOST_FOLDERS = 20
LONGEST_BUILD = 16_384
MOST_COMMANDS = 100
LONGEST_VALUE = 65_536

_HOST = re.compile(rf"{LABEL}(\.{LABEL})*", re.IGNORECASE)
_FOLDER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
_HEALTH_PATH = re.compile(r"/[!-~]*")
_REPOSITORY_PATH = r"(?P<path>[A-Za-z0-9._~/+@%=][A-Za-z0-9._~/+@%=-]*)"
_REPOSITORY_USER = r"(?P<user>[A-Za-z0-9_][A-Za-z0-9._-]*)@"
_OPEN_URL = re.compile(rf"(https|git)://(?P<host>[^/:@]+)(:(?P<port>\d{{1,5}}))?/{_REPOSITORY_PATH}")
_SSH_URL = re.compile(rf"ssh://({_REPOSITORY_USER})?(?P<host>[^/:@]+)(:(?P<port>\d{{1,5}}))?/{_REPOSITORY_PATH}")
_SCP_URL = re.compile(rf"{_REPOSITORY_USER}(?P<host>[^/:@]+):{_REPOSITORY_PATH}")
# git-check-ref-format(1), but for its rules about single components.
_BAD_IN_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[-/]|[/.]$|^@$")


def check_domains(domains: Any) -> None:
    _check_texts(domains, MOST_ALIASES)
    for domain in domains:
        check_domain(domain.removeprefix(WILDCARD))


def check_folder(folder: str) -> None:
    if folder and not _FOLDER.fullmatch(folder):
        raise ValidationError(
            f"{folder!r} is not a folder inside the repository. Use letters, digits, dots, dashes and slashes."
        )


def check_folders(folders: Any) -> None:
    _check_texts(folders, MOST_FOLDERS)
    for folder in folders:
        if not folder:
            raise ValidationError("The name of a folder is missing.")
        check_folder(folder)
    for folder in folders:
        if any(other.startswith(f"{folder}/") for other in folders):
            raise ValidationError(f"A folder inside {folder} is listed too.")


def check_health_path(path: str) -> None:
    if not _HEALTH_PATH.fullmatch(path):
        raise ValidationError("Give a path that starts with a slash and has no spaces, such as /up.")


def check_build_commands(commands: str) -> None:
    if len(commands) > LONGEST_BUILD or commands.count("\n") >= MOST_COMMANDS or "\0" in commands:
        raise ValidationError(f"There may be {MOST_COMMANDS} lines and {LONGEST_BUILD} characters, and no NUL.")


def check_value(value: str) -> None:
    if "\0" in value or len(value.encode()) > LONGEST_VALUE:
        raise ValidationError(f"A value may hold {LONGEST_VALUE} bytes, and no NUL.")


def check_ref(ref: str) -> None:
    """A branch, a tag or a commit."""
    components = ref.split("/")
    if _BAD_IN_REF.search(ref) or any(part.startswith(".") or part.endswith(".lock") for part in components):
        raise ValidationError(f"{ref!r} cannot be the name of a branch.")


def check_repository_url(url: str) -> None:
    found = _OPEN_URL.fullmatch(url) or _SSH_URL.fullmatch(url) or _SCP_URL.fullmatch(url)
    if found is None:
        raise ValidationError(_about_url(url))
    _check_host(found["host"])
    port = found.groupdict().get("port")
    if port and not 1 <= int(port) <= 65535:
        raise ValidationError("The port of the repository's address is not between 1 and 65535.")


def ssh_address(url: str) -> tuple[str, int] | None:
    """The host and port of a repository that is read over SSH: what a pinned host key belongs to."""
    match = _SSH_URL.fullmatch(url) or _SCP_URL.fullmatch(url)
    return (match["host"].lower(), int(match.groupdict().get("port") or 22)) if match else None


def _about_url(url: str) -> str:
    if re.match(r"\w+://[^/]*@", url):
        return "Leave user names and passwords out of the address. A private repository is read with the deploy key."
    return "Give the repository's address as https://host/path, git://host/path, ssh://git@host/path or git@host:path."


def _check_host(host: str) -> None:
    if not _HOST.fullmatch(host):
        raise ValidationError(f"{host!r} is not the name of a host.")
    if host.lower() == "localhost" or host.lower().endswith(".localhost"):
        raise ValidationError("The repository must be on another machine.")
    # The C library reads 127.1, 0x7f.1 and 2130706433 as addresses too.
    if re.fullmatch(r"\d+|0x[0-9a-f]*", host.rpartition(".")[2], re.IGNORECASE):
        _check_address(host)


def _check_address(host: str) -> None:
    try:
        address = ipaddress.IPv4Address(host)
    except ValueError:
        raise ValidationError(f"{host!r} is not the name of a host.") from None
    if address.is_loopback or address.is_unspecified or address.is_multicast or address.is_link_local:
        raise ValidationError("The repository must be on another machine.")


def _check_texts(values: Any, most: int) -> None:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValidationError("Give a list of texts.")
    if len(values) > most:
        raise ValidationError(f"There may be at most {most}.")
