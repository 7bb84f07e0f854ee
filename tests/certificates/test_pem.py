"""Certificates that people bring along: what is taken, and why the rest is not."""

from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from certificates.models import KeyType
from certificates.pem import read_upload
from deploynix.errors import Invalid
from tests.certificates.authority import Authority, new_key, pem_of, rsa_key

NAME = "shop.example.com"
# RFC 8017, appendix C.
SHA1_WITH_RSA, SHA256_WITH_RSA = (bytes.fromhex(f"06092a864886f70d0101{last}") for last in ("05", "0b"))


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def refused(chain: str, private_key: str) -> tuple[str, str]:
    """Which field is named, and what is said."""
    with pytest.raises(Invalid) as refusal:
        read_upload(chain, private_key)
    [(field, [text])] = refusal.value.errors.items()
    assert not any(line in text for line in private_key.splitlines() if len(line) > 20)
    return field, text


def fields_refused(chain: str, private_key: str) -> set[str]:
    try:
        read_upload(chain, private_key)
    except Invalid as error:
        return set(error.errors)
    return set()


def test_what_is_read_is_what_stands_in_it(authority: Authority) -> None:
    key = new_key()
    leaf = authority.leaf(NAME, "*.Example.COM", key=key, days=42)
    chain = f"Bag Attributes: none\n{pem_of(leaf)}\nsome words\n{pem_of(authority.intermediate)}"
    upload = read_upload(chain.replace("\n", "\r\n"), f"a key\n{pem_of(key)}")
    assert upload.chain == pem_of(leaf, authority.intermediate)
    assert upload.private_key == pem_of(key)
    assert upload.names == (NAME, "*.example.com")
    assert upload.key_type == KeyType.ECDSA
    assert upload.facts == {
        "issuer": "Test Intermediate",
        "serial": f"{leaf.serial_number:x}",
        "fingerprint": leaf.fingerprint(SHA256()).hex(),
        "not_before": leaf.not_valid_before_utc,
        "not_after": leaf.not_valid_after_utc,
    }


def test_other_keys_and_chains_that_browsers_take(authority: Authority) -> None:
    for key, kind in ((rsa_key(2048), KeyType.RSA), (ec.generate_private_key(ec.SECP384R1()), KeyType.ECDSA)):
        assert read_upload(*authority.issue(NAME, key=key)).key_type == kind
    key = new_key()
    leaf = authority.leaf(NAME, key=key)
    assert read_upload(pem_of(leaf), pem_of(key)).chain == pem_of(leaf)
    whole = pem_of(leaf, authority.intermediate, authority.root_certificate)
    assert read_upload(whole, pem_of(key)).chain == whole
    old = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    assert read_upload(whole, old).private_key == pem_of(key)


def test_a_key_of_another_certificate_is_refused(authority: Authority) -> None:
    chain, _ = authority.issue(NAME)
    assert refused(chain, pem_of(new_key())) == ("private_key", "The key does not belong to the certificate.")


def test_an_encrypted_key_is_refused_with_what_to_do(authority: Authority) -> None:
    key = new_key()
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")).decode()
    older = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(b"secret"))
    for text in (locked, older.decode()):
        field, said = refused(authority.issue(NAME, key=key)[0], text)
        assert (field, said.startswith("The key is encrypted.")) == ("private_key", True)


@pytest.mark.parametrize(
    "key", [ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP521R1()), rsa_key(1024)]
)
def test_keys_that_browsers_refuse_are_refused(authority: Authority, key: Any) -> None:
    field, said = refused(*authority.issue(NAME, key=key))
    assert (field, "2048 bits" in said) == ("private_key", True)


def test_the_order_of_the_chain_matters(authority: Authority) -> None:
    key, stranger = new_key(), Authority("Stranger")
    leaf = authority.leaf(NAME, key=key)
    field, said = refused(pem_of(authority.intermediate, leaf), pem_of(key))
    assert (field, "does not stand first" in said) == ("chain", True)
    field, said = refused(pem_of(leaf, authority.root_certificate, authority.intermediate), pem_of(key))
    assert (field, said.startswith(f"{NAME} is not signed by Test Root")) == ("chain", True)
    field, said = refused(pem_of(leaf, stranger.intermediate), pem_of(key))
    assert said.startswith(f"{NAME} is not signed by Stranger Intermediate")
    # The same name, and another key.
    field, said = refused(pem_of(leaf, Authority().intermediate), pem_of(key))
    assert said.startswith(f"{NAME} is not signed by Test Intermediate")


def test_one_that_has_ended_or_not_begun_is_refused(authority: Authority) -> None:
    _, said = refused(*authority.issue(NAME, days=-1))
    assert said.startswith(f"{NAME} has expired, on ")
    _, said = refused(*authority.issue(NAME, begin=timezone.now() + timedelta(days=3)))
    assert said.startswith(f"{NAME} is valid only from ")


def test_one_that_is_for_something_else_is_refused(authority: Authority) -> None:
    mail = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
    _, said = refused(*authority.issue(NAME, extensions=[mail]))
    assert "not for servers" in said
    both = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH])
    assert read_upload(*authority.issue(NAME, extensions=[both])).names == (NAME,)
    _, said = refused(*authority.issue())
    assert "holds for no name" in said


def test_a_signature_that_browsers_refuse_is_refused() -> None:
    signer, key = Authority(), new_key()
    signer.key = rsa_key(2048)
    # Nothing here signs with SHA-1 any more: the name of the algorithm is put in the place of the other's.
    der = signer.leaf(NAME, key=key).public_bytes(Encoding.DER).replace(SHA256_WITH_RSA, SHA1_WITH_RSA)
    _, said = refused(pem_of(x509.load_der_x509_certificate(der)), pem_of(key))
    assert said == f"{NAME} is signed with SHA1, which browsers refuse."


def test_no_control_characters_reach_a_message_or_a_row(authority: Authority) -> None:
    key = new_key()
    leaf = authority.leaf("a\x00b\nc", key=key, days=-1)
    _, said = refused(pem_of(leaf), pem_of(key))
    assert said.startswith("a b c has expired")


@pytest.mark.parametrize(
    "text", ["", "junk", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "\ud800"]
)
def test_junk_is_refused(authority: Authority, text: str) -> None:
    chain, key = authority.issue(NAME)
    field, said = refused(text, key)
    assert (field, said.startswith("This is no chain")) == ("chain", True)
    field, said = refused(chain, text)
    assert (field, said.startswith("This is no private key")) == ("private_key", True)
    assert refused(key, key) == ("chain", "There is a private key among the certificates: leave it out here.")
    assert refused(chain * 40, key)[0] == "chain"


@given(place=st.integers(0, 700), bit=st.integers(0, 7))
def test_a_flipped_bit_is_refused_or_harmless(authority: Authority, place: int, bit: int) -> None:
    """Nothing but Invalid, wherever it is."""
    chain, key = authority.issue(NAME)
    raw = bytearray(chain.encode())
    raw[place % len(raw)] ^= 1 << bit
    assert fields_refused(raw.decode(errors="replace"), key) <= {"chain", "private_key"}
