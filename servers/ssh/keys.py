"""Key pairs and fingerprints, in OpenSSH's formats."""

from dataclasses import dataclass, field

import asyncssh

from deploynix.errors import Error


@dataclass(frozen=True)
class KeyPair:
    """`private` is an OpenSSH PEM text, `public` one authorized_keys line without a line break."""

    private: str = field(repr=False)
    public: str


def generate_key(comment: str) -> KeyPair:
    """A new ed25519 key pair."""
    key = asyncssh.generate_private_key("ssh-ed25519", comment=comment)
    return KeyPair(key.export_private_key("openssh").decode(), public_line(key))


def public_line(key: asyncssh.SSHKey) -> str:
    return key.export_public_key("openssh").decode().strip()


def read_public_key(line: str) -> asyncssh.SSHKey:
    """Raises Error when the line is no public key."""
    try:
        return asyncssh.import_public_key(line)
    except asyncssh.KeyImportError:
        raise Error("This is no SSH public key.", "One looks like: ssh-ed25519 AAAAC3Nza... name.") from None


def read_private_key(text: str) -> asyncssh.SSHKey:
    """Raises Error when the text is no private key, or one with a passphrase."""
    try:
        return asyncssh.import_private_key(text)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError):
        raise Error(
            "The SSH private key cannot be read.", "Give all of it, in OpenSSH format, without a passphrase."
        ) from None


def fingerprint(public_key_line: str) -> str:
    """`SHA256:...`, as `ssh-keygen -l` prints it. Raises Error when the line is no public key."""
    return str(read_public_key(public_key_line).get_fingerprint())
