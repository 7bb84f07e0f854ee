"""Certificates that people bring along: whether a server could serve the chain with the key, and what is in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import MD5, SHA1, SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from django.core.exceptions import ValidationError
from django.utils import timezone

from certificates.models import KeyType
from deploynix.errors import Invalid
from deploynix.names import ascii_domain, check_domain

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
# What browsers take: they know neither Ed25519 nor P-521.
CURVES = (ec.SECP256R1, ec.SECP384R1)
RSA_BITS = range(2048, 8193)
LONGEST_CHAIN = 10
LONGEST_NAME, LONGEST_SERIAL = 200, 64
UNREADABLE = (
    *(ValueError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion),
    x509.UnsupportedGeneralNameType,
)
LONGEST_TEXT = 65_536
ORDER = "Put the certificate itself first, then the one that signed it, and so on."


@dataclass(frozen=True)
class Upload:
    """A chain and its key as they are stored: PEM, without what else stood in the files."""

    chain: str
    private_key: str
    names: tuple[str, ...]
    key_type: KeyType
    facts: dict[str, Any]


def read_upload(chain: str, private_key: str) -> Upload:
    """Raises Invalid, which names `chain` or `private_key`, and never quotes the key."""
    key = _read_key(private_key)
    try:
        return _checked(_read_chain(chain), key)
    # Much of a certificate is read only when it is asked for.
    except UNREADABLE as error:
        hint = "Give it in PEM: blocks that begin with -----BEGIN CERTIFICATE-----."
        raise refusal("chain", f"This is no chain of certificates. {hint}") from error


def facts_of(leaf: x509.Certificate) -> dict[str, Any]:
    """What an Issuance tells of its certificate, by the names of its fields."""
    return {
        "issuer": _spoken(leaf.issuer),
        "serial": f"{leaf.serial_number:x}"[:LONGEST_SERIAL],
        "fingerprint": leaf.fingerprint(SHA256()).hex(),
        "not_before": leaf.not_valid_before_utc,
        "not_after": leaf.not_valid_after_utc,
    }


def names_of(leaf: x509.Certificate) -> tuple[str, ...]:
    """The DNS names that it holds for; its common name counts no more (RFC 9525, section 2). Raises Invalid."""
    try:
        extension = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        found = extension.value.get_values_for_type(x509.DNSName)
    except (x509.ExtensionNotFound, ValueError):
        found = []
    names = tuple(dict.fromkeys(name.lower() for name in found if _is_name(name)))
    if not names:
        raise refusal("chain", "The certificate holds for no name: it has no subject alternative name that is one.")
    return names


def refusal(field: str, text: str) -> Invalid:
    return Invalid({field: [text]}, text)


def _checked(certificates: Sequence[x509.Certificate], key: Key) -> Upload:
    leaf = certificates[0]
    _check_match(certificates, key)
    for certificate in certificates:
        _check_times(certificate)
        _check_hash(certificate)
    _check_order(certificates)
    _check_purpose(leaf)
    return Upload(
        chain="".join(each.public_bytes(Encoding.PEM).decode() for each in certificates),
        private_key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        names=names_of(leaf),
        key_type=KeyType.RSA if isinstance(key, rsa.RSAPrivateKey) else KeyType.ECDSA,
        facts=facts_of(leaf),
    )


def _read_chain(text: str) -> list[x509.Certificate]:
    """Raises those of UNREADABLE, too."""
    if len(text) > LONGEST_TEXT:
        raise refusal("chain", "This is too long for a chain.")
    if "PRIVATE KEY-----" in text:
        raise refusal("chain", "There is a private key among the certificates: leave it out here.")
    found = x509.load_pem_x509_certificates(text.encode())
    if len(found) > LONGEST_CHAIN:
        raise refusal("chain", f"A chain may have {LONGEST_CHAIN} certificates.")
    return found


def _read_key(text: str) -> Key:
    if len(text) > LONGEST_TEXT:
        raise refusal("private_key", "This is too long for a key.")
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except TypeError:
        hint = "Remove the passphrase, for example with `openssl pkey`: the web server starts without anybody to ask."
        raise refusal("private_key", f"The key is encrypted. {hint}") from None
    except (ValueError, UnsupportedAlgorithm):
        hint = "Give it in PEM: a block that begins with -----BEGIN PRIVATE KEY-----."
        raise refusal("private_key", f"This is no private key. {hint}") from None
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size in RSA_BITS:
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, CURVES):
        return key
    raise refusal("private_key", "Browsers take RSA keys of 2048 bits or more, and ECDSA keys on P-256 or P-384.")


def _check_match(certificates: Sequence[x509.Certificate], key: Key) -> None:
    own = _public_bytes(key.public_key())
    if _public_bytes(certificates[0].public_key()) == own:
        return
    if any(_public_bytes(each.public_key()) == own for each in certificates[1:]):
        raise refusal("chain", f"The certificate that the key belongs to does not stand first. {ORDER}")
    raise refusal("private_key", "The key does not belong to the certificate.")


def _check_order(certificates: Sequence[x509.Certificate]) -> None:
    for signed, signer in pairwise(certificates):
        try:
            signed.verify_directly_issued_by(signer)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm) as error:
            text = f"{_spoken(signed.subject)} is not signed by {_spoken(signer.subject)}, which comes next. {ORDER}"
            raise refusal("chain", text) from error


def _check_times(certificate: x509.Certificate) -> None:
    now, name = timezone.now(), _spoken(certificate.subject)
    if certificate.not_valid_after_utc <= now:
        raise refusal("chain", f"{name} has expired, on {_day(certificate.not_valid_after_utc)}.")
    if certificate.not_valid_before_utc > now:
        raise refusal("chain", f"{name} is valid only from {_day(certificate.not_valid_before_utc)} on.")


def _check_hash(certificate: x509.Certificate) -> None:
    is_root = certificate.issuer == certificate.subject
    if not is_root and isinstance(certificate.signature_hash_algorithm, MD5 | SHA1):
        name = certificate.signature_hash_algorithm.name.upper()
        raise refusal("chain", f"{_spoken(certificate.subject)} is signed with {name}, which browsers refuse.")


def _check_purpose(leaf: x509.Certificate) -> None:
    try:
        usages = set(leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return
    if usages.isdisjoint({ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}):
        raise refusal("chain", "The certificate is not for servers: its extended key usage says so.")


def _public_bytes(key: Any) -> bytes:
    encoded: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return encoded


def _is_name(name: str) -> bool:
    try:
        check_domain(ascii_domain(name.removeprefix("*.")))
    except ValidationError:
        return False
    return name.isascii()


def _spoken(name: x509.Name) -> str:
    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    text = str(common[0].value) if common else name.rfc4514_string()
    printable = "".join(letter if letter.isprintable() else " " for letter in text[:LONGEST_NAME])
    return printable or "A certificate without a name"


def _day(moment: datetime) -> str:
    return f"{moment:%-d %b %Y}"
