"""The keys that backups are encrypted for, and those that open them: what is one, and what must not be given as one."""

import binascii
import re
from base64 import b64decode

from deploynix.errors import Error
from servers.ssh.keys import read_private_key, read_public_key

LONGEST = 65_536
SMALLEST_RSA = 2048
SSH_TYPES = ("ssh-ed25519", "ssh-rsa")
# https://age-encryption.org/v1: an X25519 key is 32 bytes in Bech32.
AGE_RECIPIENT = "age"
AGE_IDENTITY = "age-secret-key-"
# RFC 9580, 6.2: the armor of a key, and 5.5.1: the packet that it begins with.
PGP_PUBLIC = "-----BEGIN PGP PUBLIC KEY BLOCK-----"
PGP_PUBLIC_END = "-----END PGP PUBLIC KEY BLOCK-----"
PGP_PRIVATE = "-----BEGIN PGP PRIVATE KEY BLOCK-----"
PGP_PRIVATE_END = "-----END PGP PRIVATE KEY BLOCK-----"
PGP_PUBLIC_TAG, PGP_SECRET_TAG = 6, 5
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_PRIVATE = re.compile(r"AGE-SECRET-KEY-|-----BEGIN [A-Z ]*PRIVATE KEY", re.IGNORECASE)


def recipient_fault(encryption: str, text: str) -> str:
    """What is wrong with the public key; empty where nothing is."""
    if _PRIVATE.search(text):
        return "This is a private key. Keep it to yourself, and give the public key that belongs to it."
    if len(text) > LONGEST:
        return f"The key must not be longer than {LONGEST // 1024} KiB."
    return _recipient_fault_of_age(text) if encryption == "age" else _recipient_fault_of_openpgp(text)


def identity_fault(encryption: str, text: str) -> str:
    """What is wrong with the private key; empty where nothing is."""
    if len(text) > LONGEST:
        return f"The key must not be longer than {LONGEST // 1024} KiB."
    return _identity_fault_of_age(text) if encryption == "age" else _identity_fault_of_openpgp(text)


def _recipient_fault_of_age(line: str) -> str:
    if "\n" in line:
        return "Give one line: age1..., or an SSH public key."
    if not line.startswith(SSH_TYPES):
        return "" if _is_bech32_key(line, AGE_RECIPIENT) else "This is no public key of age. One looks like age1..."
    try:
        key = read_public_key(line)
    except Error as error:
        return f"{error.message} {error.hint}"
    if key.get_algorithm() not in SSH_TYPES:
        return "age takes SSH keys of the types ssh-ed25519 and ssh-rsa."
    size = getattr(getattr(key, "pyca_key", None), "key_size", SMALLEST_RSA)
    return "" if size >= SMALLEST_RSA else f"age takes RSA keys of at least {SMALLEST_RSA} bits."


def _identity_fault_of_age(text: str) -> str:
    lines = [line.strip() for line in text.splitlines()]
    keys = [line for line in lines if line and not line.startswith("#")]
    if keys and all(_is_bech32_key(key, AGE_IDENTITY) for key in keys):
        return ""
    try:
        key = read_private_key(text.strip() + "\n")
    except Error:
        return "This is no private key of age, and no SSH private key without a passphrase."
    return "" if key.get_algorithm() in SSH_TYPES else "age takes SSH keys of the types ssh-ed25519 and ssh-rsa."


def _recipient_fault_of_openpgp(text: str) -> str:
    if _tag_of(text, PGP_PUBLIC, PGP_PUBLIC_END) == PGP_PUBLIC_TAG:
        return ""
    return f"This is no OpenPGP public key. One begins with {PGP_PUBLIC}; gpg --armor --export prints it."


def _identity_fault_of_openpgp(text: str) -> str:
    if _tag_of(text, PGP_PRIVATE, PGP_PRIVATE_END) == PGP_SECRET_TAG:
        return ""
    return "This is no OpenPGP private key. gpg --armor --export-secret-keys prints it; it must have no passphrase."


def _tag_of(text: str, head: str, end: str) -> int | None:
    """The type of the first packet in an armored block; None where it is none. RFC 9580, 4.2 and 6.2."""
    lines = [line.strip() for line in text.strip().splitlines()]
    if len(lines) < 3 or lines[0] != head or lines[-1] != end or "" not in lines:
        return None
    # Headers end at an empty line; a line that begins with = is the checksum.
    body = [line for line in lines[lines.index("") + 1 : -1] if not line.startswith("=")]
    try:
        first = b64decode("".join(body), validate=True)[:1]
    except binascii.Error:
        return None
    octet = first[0] if first else 0
    if not octet & 0x80:
        return None
    return octet & 0x3F if octet & 0x40 else (octet & 0x3C) >> 2


def _is_bech32_key(text: str, prefix: str) -> bool:
    """Whether it is 32 bytes under the prefix, with a checksum that fits. BIP 173, without its limit of length."""
    lower = text.lower()
    if text not in (lower, text.upper()) or not lower.startswith(f"{prefix}1"):
        return False
    values = [_BECH32.find(letter) for letter in lower[len(prefix) + 1 :]]
    # 52 characters of five bits hold 32 bytes and four bits more, which are 0; six are the checksum.
    if len(values) != 58 or -1 in values or values[51] & 0b1111:
        return False
    expanded = [ord(letter) >> 5 for letter in prefix] + [0] + [ord(letter) & 31 for letter in prefix]
    return _polymod(expanded + values) == 1


def _polymod(values: list[int]) -> int:
    checksum = 1
    for value in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            checksum ^= generator if top >> bit & 1 else 0
    return checksum
