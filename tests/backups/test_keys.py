"""Public keys that backups are encrypted for, and private ones that open them."""

from base64 import b64encode

import asyncssh
import pytest

from backups.keys import identity_fault, recipient_fault

# From age's own documentation and test suite.
AGE = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
AGE_PRIVATE = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
ED25519 = asyncssh.generate_private_key("ssh-ed25519")
RSA = asyncssh.generate_private_key("ssh-rsa", key_size=2048)

# By gpg 2.2 of Debian 12: `--export`, and `--export-secret-keys`, with `--armor`.
EXPORTED = """\
-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawLdDhYJKwYBBAHaRw8BAQdAMSmewDyP7Czns+RiOfh5y/L3bqbjIN24YvQ8
dGSyAz+0DmFjbWVAYWNtZS50ZXN0iJYEExYIAD4WIQT2toqOw+3bUH0PDbGItR+O
TLNsaAUCawLdDgIbAwUJA8JnAAULCQgHAgYVCgkICwIEFgIDAQIeAQIXgAAKCRCI
tR+OTLNsaGkeAQCHcmEoMayacm1cEVZErV2AstFU/ptbDGQ+bqvma9j6TwD7BsT+
KP3SsbPKmpG8eiJjVfboNRVhG8O+KlmVY+I7fQo=
=FVta
-----END PGP PUBLIC KEY BLOCK-----
"""
EXPORTED_PRIVATE = """\
-----BEGIN PGP PRIVATE KEY BLOCK-----

lFgEawLdDhYJKwYBBAHaRw8BAQdAMSmewDyP7Czns+RiOfh5y/L3bqbjIN24YvQ8
dGSyAz8AAP48XNnWoF7ZPvDtPf9CJgW5d+4iHjAHMOXV7V00P/jAFRDptA5hY21l
QGFjbWUudGVzdIiWBBMWCAA+FiEE9raKjsPt21B9Dw2xiLUfjkyzbGgFAmsC3Q4C
GwMFCQPCZwAFCwkIBwIGFQoJCAsCBBYCAwECHgECF4AACgkQiLUfjkyzbGhpHgEA
h3JhKDGsmnJtXBFWRK1dgLLRVP6bWwxkPm6r5mvY+k8A+wbE/ij90rGzypqRvHoi
Y1X26DUVYRvDvipZlWPiO30K
=E8gp
-----END PGP PRIVATE KEY BLOCK-----
"""


def public(key: asyncssh.SSHKey) -> str:
    return key.export_public_key("openssh").decode().strip()


def private(key: asyncssh.SSHKey) -> str:
    return key.export_private_key("openssh").decode()


def armored(what: str, tag: int) -> str:
    """A block whose first packet is of this type, in the new format of RFC 9580."""
    body = b64encode(bytes([0xC0 | tag, 1, 4])).decode()
    return f"-----BEGIN PGP {what} KEY BLOCK-----\n\n{body}\n=abcd\n-----END PGP {what} KEY BLOCK-----"


def keys(*given: str) -> pytest.MarkDecorator:
    """Numbered: the name of a test must not hold a key that each process makes anew."""
    return pytest.mark.parametrize("key", given, ids=[str(number) for number in range(len(given))])


@keys(AGE, AGE.upper(), public(ED25519), public(RSA), f"{public(ED25519)} me@acme.test")
def test_age_encrypts_for_its_own_keys_and_those_of_ssh(key: str) -> None:
    assert recipient_fault("age", key) == ""


@keys(
    AGE[:-1],
    f"{AGE[:-1]}q",
    AGE.replace("l3z", "L3z"),
    f"{AGE}\n{AGE}",
    "age1",
    "ssh-ed25519 AAAA",
    public(asyncssh.generate_private_key("ecdsa-sha2-nistp256")),
    public(asyncssh.generate_private_key("ssh-rsa", key_size=1024)),
    armored("PUBLIC", 6),
)
def test_what_is_no_key_of_age_is_refused(key: str) -> None:
    assert recipient_fault("age", key)


@pytest.mark.parametrize("encryption", ["age", "openpgp"])
@keys(AGE_PRIVATE, AGE_PRIVATE.lower(), private(ED25519), armored("PRIVATE", 5), f"{AGE}\n{AGE_PRIVATE}")
def test_a_private_key_in_the_place_of_a_public_one_is_refused_as_such(encryption: str, key: str) -> None:
    assert recipient_fault(encryption, key).startswith("This is a private key.")


def test_openpgp_takes_an_armored_public_key() -> None:
    assert recipient_fault("openpgp", armored("PUBLIC", 6)) == ""


@keys(
    AGE, "x", armored("PUBLIC", 5), armored("PUBLIC", 6)[:-5], armored("PUBLIC", 6).replace("\n\n", "\n"), "x" * 70_000
)
def test_what_is_no_openpgp_key_is_refused(key: str) -> None:
    assert recipient_fault("openpgp", key)


@keys(AGE_PRIVATE, f"# made today\n{AGE_PRIVATE}\n", private(ED25519), private(RSA))
def test_age_opens_with_a_private_key(key: str) -> None:
    assert identity_fault("age", key) == ""


@keys("", "x", AGE, AGE_PRIVATE[:-1], public(ED25519), armored("PRIVATE", 5))
def test_what_does_not_open_is_refused(key: str) -> None:
    assert identity_fault("age", key)


def test_openpgp_opens_with_an_armored_private_key() -> None:
    assert identity_fault("openpgp", armored("PRIVATE", 5)) == ""
    assert identity_fault("openpgp", armored("PUBLIC", 6))


def test_what_gpg_exports_is_taken() -> None:
    assert recipient_fault("openpgp", EXPORTED) == ""
    assert identity_fault("openpgp", EXPORTED_PRIVATE) == ""
