"""Encrypting for a public key, and opening it again."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Any

from pipeline import Program
from talk import Failed

PACKAGES = {"age": "age", "openpgp": "gnupg"}
PROGRAMS = {"age": "age", "openpgp": "gpg"}
GPG = ["gpg", "--batch", "--no-tty", "--quiet", "--no-options", "--trust-model=always"]


def check(encryption: str) -> None:
    """Raises Failed where the server lacks the program."""
    if encryption in PROGRAMS and not shutil.which(PROGRAMS[encryption]):
        package = PACKAGES[encryption]
        hint = f"Install it on the server: apt-get install {package}. Servers that are provisioned now have it."
        raise Failed("prepare", f"The server has no {PROGRAMS[encryption]}.", hint)


def encrypting(values: dict[str, Any]) -> list[Program]:
    """What reads the plain and writes the encrypted, if anything does."""
    if values["encryption"] == "none":
        return []
    recipient = private_file("recipient", values["recipient"] + "\n")
    if values["encryption"] == "age":
        return [Program("encrypt", "age", ["age", "--encrypt", "--recipients-file", recipient])]
    home = private_folder("gnupg")
    # It is compressed already.
    options = [f"--homedir={home}", "--compress-algo=none", f"--recipient-file={recipient}", "--encrypt"]
    return [Program("encrypt", "gpg", [*GPG, *options])]


def opening(values: dict[str, Any]) -> list[Program]:
    """What reads the encrypted and writes the plain, if anything does. `identity` is the private key. Raises Failed."""
    if values["encryption"] == "none":
        return []
    identity = private_file("identity", values["identity"] + "\n")
    if values["encryption"] == "age":
        return [Program("decrypt", "age", ["age", "--decrypt", f"--identity={identity}"])]
    gpg = [*GPG, f"--homedir={private_folder('gnupg')}", "--pinentry-mode=loopback", "--passphrase="]
    done = subprocess.run([*gpg, "--import", identity], capture_output=True, check=False)
    os.remove(identity)
    if done.returncode:
        raise Failed("decrypt", "The private key cannot be read.", "Give one without a passphrase, all of its lines.")
    return [Program("decrypt", "gpg", [*gpg, "--decrypt"])]


def private_file(name: str, text: str) -> str:
    """In memory, and gone with the unit."""
    path = os.path.join(os.environ["RUNTIME_DIRECTORY"], name)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    return path


def private_folder(name: str) -> str:
    path = os.path.join(os.environ["RUNTIME_DIRECTORY"], name)
    os.makedirs(path, 0o700, exist_ok=True)
    return path
