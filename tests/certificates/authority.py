"""A certificate authority of the tests' own, which signs whatever it is asked to."""

from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from django.utils import timezone

DAY = timedelta(days=1)
Key = Any


def new_key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def rsa_key(bits: int) -> Key:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def pem_of(*parts: Any) -> str:
    """Certificates, or a key."""
    return "".join(
        part.public_bytes(Encoding.PEM).decode()
        if isinstance(part, x509.Certificate)
        else part.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        for part in parts
    )


def named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """A root, and an intermediate that signs. `root` is what a visitor has to trust, in PEM."""

    def __init__(self, name: str = "Test") -> None:
        self.root_key, self.key = new_key(), new_key()
        self.root_certificate = self._sign(f"{name} Root", self.root_key, f"{name} Root", self.root_key)
        self.intermediate = self._sign(f"{name} Intermediate", self.key, f"{name} Root", self.root_key)
        self.root = pem_of(self.root_certificate)

    def leaf(self, *names: str, key: Key, days: int = 90, **options: Any) -> x509.Certificate:
        extensions = list[x509.ExtensionType](options.pop("extensions", []))
        if names:
            extensions.append(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]))
        end = timezone.now() + days * DAY
        issuer = self.intermediate.subject.rfc4514_string().removeprefix("CN=")
        subject = (names or ("nobody",))[0]
        return self._sign(subject, key, issuer, self.key, is_authority=False, end=end, extensions=extensions, **options)

    def issue(self, *names: str, key: Key | None = None, **options: Any) -> tuple[str, str]:
        """A chain and its key, in PEM."""
        key = key or new_key()
        return pem_of(self.leaf(*names, key=key, **options), self.intermediate), pem_of(key)

    def _sign(
        self,
        subject: str,
        key: Key,
        issuer: str,
        signer: Key,
        *,
        is_authority: bool = True,
        begin: datetime | None = None,
        end: datetime | None = None,
        extensions: list[x509.ExtensionType] | None = None,
    ) -> x509.Certificate:
        now = timezone.now()
        builder = (
            x509.CertificateBuilder()
            .subject_name(named(subject))
            .issuer_name(named(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin or now - 365 * DAY)
            .not_valid_after(end or now + 365 * DAY)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        )
        for extension in extensions or []:
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(signer, SHA256())
