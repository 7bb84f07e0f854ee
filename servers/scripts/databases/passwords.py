"""What an engine stores of a password: computed here, so that the password itself never reaches the engine."""

from __future__ import annotations

import hmac
import os
import stringprep
import unicodedata
from base64 import b64encode
from hashlib import pbkdf2_hmac, sha1, sha256

# What PostgreSQL itself uses.
ROUNDS = 4096
SALT_BYTES = 16


def scram_verifier(password: str, salt: bytes = b"") -> str:
    """SCRAM-SHA-256 (RFC 5803, RFC 7677), as PostgreSQL stores it."""
    salt = salt or os.urandom(SALT_BYTES)
    salted = pbkdf2_hmac("sha256", prepared(password).encode(), salt, ROUNDS)
    stored = sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${ROUNDS}:{_text(salt)}${_text(stored)}:{_text(server)}"


def native_hash(password: str) -> str:
    """Of mysql_native_password."""
    inner = sha1(password.encode(), usedforsecurity=False).digest()
    return "*" + sha1(inner, usedforsecurity=False).hexdigest().upper()


def prepared(password: str) -> str:
    """By SASLprep (RFC 4013), as PostgreSQL and its clients do it: one that it forbids is taken as it is."""
    if password.isascii():
        return password
    normal = unicodedata.normalize("NFKC", "".join(map(_mapped, password)))
    return password if not normal or _is_prohibited(normal) else normal


def _mapped(sign: str) -> str:
    if stringprep.in_table_c12(sign):
        return " "
    return "" if stringprep.in_table_b1(sign) else sign


def _is_prohibited(text: str) -> bool:
    tables = (
        *(stringprep.in_table_c12, stringprep.in_table_c21_c22, stringprep.in_table_c3, stringprep.in_table_c4),
        *(stringprep.in_table_c5, stringprep.in_table_c6, stringprep.in_table_c7, stringprep.in_table_c8),
        *(stringprep.in_table_c9, stringprep.in_table_a1),
    )
    if any(table(sign) for table in tables for sign in text):
        return True
    if not any(stringprep.in_table_d1(sign) for sign in text):
        return False
    # RFC 3454 6: text from right to left begins and ends so, and holds nothing of the other direction.
    has_left = any(stringprep.in_table_d2(sign) for sign in text)
    return has_left or not (stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1]))


def _text(raw: bytes) -> str:
    return b64encode(raw).decode()
