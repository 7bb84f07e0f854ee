"""Keys of accounts and certificates, and what is made of them."""

from base64 import urlsafe_b64encode
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from josepy.jwk import JWK, JWKEC

from certificates.models import KeyType


def new_key(kind: str = KeyType.ECDSA) -> str:
    """A private key in PEM (PKCS #8)."""
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    if kind == KeyType.RSA:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    else:
        key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def account_key(pem: str) -> JWKEC:
    return JWKEC(key=load_pem_private_key(pem.encode(), password=None))


def key_authorization(token: str, key: JWK) -> str:
    """RFC 8555, section 8.1."""
    return f"{token}.{_base64url(key.thumbprint(hash_function=SHA256))}"


def dns_value(token: str, key: JWK) -> str:
    """What the TXT record holds: RFC 8555, section 8.4."""
    return _base64url(sha256(key_authorization(token, key).encode()).digest())


def ari_id(certificate: x509.Certificate) -> str:
    """What names the certificate in RFC 9773, section 4.1; empty for one that does not name its issuer's key."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    except x509.ExtensionNotFound:
        return ""
    if not (issuer := extension.value.key_identifier):
        return ""
    serial = certificate.serial_number
    # As DER writes a positive integer: with a zero in front of a byte that has its first bit set.
    return f"{_base64url(issuer)}.{_base64url(serial.to_bytes(serial.bit_length() // 8 + 1, 'big'))}"


def _base64url(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
