"""The key that signs what providers are asked for, and how its public half is published."""

from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from django.conf import settings

# A TXT string holds 255 bytes; providers put the parts together by their numbers.
PART = 200


def sign(text: str) -> str:
    """Of the query string as it is sent: RSA with SHA-256 (PKCS #1 v1.5), in Base64."""
    return b64encode(_key().sign(text.encode(), PKCS1v15(), SHA256())).decode()


def key_name() -> str:
    """The label under which the public key is found; another key has another one, so that both may be published."""
    return f"_dck-{sha256(_public()).hexdigest()[:12]}"


def public_records() -> list[str]:
    """The TXT values to publish there."""
    text = b64encode(_public()).decode()
    return [f"p={number},a=RS256,t=x509,d={part}" for number, part in enumerate(_parts(text), start=1)]


def _parts(text: str) -> Iterator[str]:
    """None has a letter n where it meets the next: providers that read keys with `domainconnectzone` 4.0.0 lose it."""
    while text:
        end = PART
        while "n" in text[end - 1 : end + 1]:
            end -= 1
        yield text[:end]
        text = text[end:]


def _public() -> bytes:
    return _key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _key() -> RSAPrivateKey:
    key = load_pem_private_key(settings.DOMAIN_CONNECT_KEY.encode(), password=None)
    # The settings have seen to it.
    assert isinstance(key, RSAPrivateKey)  # noqa: S101
    return key
