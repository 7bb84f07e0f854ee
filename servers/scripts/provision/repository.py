"""The repository of the Debian PHP maintainer, for PHP versions that the system itself does not have.

Described at https://packages.sury.org/php/README.txt and https://launchpad.net/~ondrej/+archive/ubuntu/php.
"""

from __future__ import annotations

import os
import subprocess
import tempfile

from report import Refused, changed

SOURCES = "/etc/apt/sources.list.d/deploynix-php.sources"
KEYRING = "/etc/apt/keyrings/deploynix-php.gpg"
# Address, where its key is, and the key's fingerprint: a key with any other is refused.
REPOSITORIES = {
    "debian": (
        "https://packages.sury.org/php/",
        "https://packages.sury.org/php/apt.gpg",
        "15058500A0235D97F5D10063B188E2B695BD4743",
    ),
    "ubuntu": (
        "https://ppa.launchpadcontent.net/ondrej/php/ubuntu/",
        "https://keyserver.ubuntu.com/pks/lookup?op=get&search=0xB8DC7E53946656EFBCE4C1DD71DAEAAB4AD4CAB6",
        "B8DC7E53946656EFBCE4C1DD71DAEAAB4AD4CAB6",
    ),
}


def add() -> None:
    release = os_release()
    address, key_address, fingerprint = REPOSITORIES[release["ID"]]
    os.makedirs(os.path.dirname(KEYRING), exist_ok=True)
    with open(KEYRING, "wb") as file:
        file.write(trusted_key(fetch(key_address), fingerprint))
    with open(SOURCES, "w") as file:
        file.write(
            f"Types: deb\nURIs: {address}\nSuites: {release['VERSION_CODENAME']}\nComponents: main\n"
            f"Signed-By: {KEYRING}\n"
        )
    changed(f"added the repository {address}")


def remove() -> None:
    for path in (SOURCES, KEYRING):
        if os.path.exists(path):
            os.unlink(path)


def os_release() -> dict[str, str]:
    with open("/etc/os-release") as file:
        pairs = (line.rstrip("\n").partition("=") for line in file)
        return {name: value.strip("\"'") for name, _, value in pairs}


def fetch(address: str) -> bytes:
    command = ["curl", "--fail", "--silent", "--show-error", "--location", "--proto", "=https", "--max-time", "30"]
    done = subprocess.run([*command, address], capture_output=True, check=False)
    if done.returncode != 0:
        reason = done.stderr.decode("utf-8", "replace").strip()
        raise Refused(f"{address} could not be fetched: {reason}.", "Check the server's network.")
    return done.stdout


def trusted_key(keys: bytes, fingerprint: str) -> bytes:
    """The one key with the fingerprint, whatever else was sent with it."""
    with tempfile.TemporaryDirectory() as home:
        gpg = ["gpg", "--homedir", home, "--batch", "--quiet"]
        subprocess.run([*gpg, "--import"], input=keys, capture_output=True, check=False)
        done = subprocess.run([*gpg, "--export", fingerprint], capture_output=True, check=False)
    if not done.stdout:
        raise Refused("The repository's key is not the one that is expected.", "Nothing was installed from it.")
    return done.stdout
