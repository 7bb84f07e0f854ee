"""What the scripts on the server compute without an engine."""

import hmac
import sys
from base64 import b64decode, b64encode
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

import pytest

from servers.ssh.packed import SCRIPTS


@pytest.fixture(scope="module")
def passwords() -> ModuleType:
    spec = spec_from_file_location("passwords", SCRIPTS / "databases" / "passwords.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    assert "passwords" not in sys.modules
    return module


def test_the_verifier_is_that_of_the_rfc(passwords: ModuleType) -> None:
    """RFC 7677 3: what the server of the example answers follows from it."""
    salt = "W22ZaJ0SNY7soEsUEjb6gQ=="
    verifier = passwords.scram_verifier("pencil", b64decode(salt))
    head, keys = verifier.split("$")[1:]
    stored, server = (b64decode(key) for key in keys.split(":"))
    assert (verifier.partition("$")[0], head) == ("SCRAM-SHA-256", f"4096:{salt}")
    nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    message = f"n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s={salt},i=4096,c=biws,r={nonce}".encode()
    assert b64encode(hmac.digest(server, message, "sha256")) == b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    proof = b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    signature = hmac.digest(stored, message, "sha256")
    key = bytes(one ^ other for one, other in zip(proof, signature, strict=True))
    assert passwords.sha256(key).digest() == stored


def test_each_verifier_has_a_salt_of_its_own(passwords: ModuleType) -> None:
    assert passwords.scram_verifier("pencil") != passwords.scram_verifier("pencil")


def test_the_native_hash_is_that_of_mariadb(passwords: ModuleType) -> None:
    assert passwords.native_hash("password") == "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"


@pytest.mark.parametrize(
    ("password", "prepared"),
    [
        # RFC 4013 3.
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        # Prohibited: left as it is.
        ("\u0627\u0031", "\u0627\u0031"),
        ("a\u0007é", "a\u0007é"),
        ("\u00a0é", " é"),
        ("\u00ad", "\u00ad"),
    ],
)
def test_passwords_are_prepared_as_postgresql_does(passwords: ModuleType, password: str, prepared: str) -> None:
    assert passwords.prepared(password) == prepared
