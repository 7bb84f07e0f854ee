"""Passphrases of access tokens: stored by Argon2, and proven once in a while instead of with every request."""

import hmac
import threading
import time
from collections import OrderedDict
from hashlib import sha256

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from django.conf import settings

HEADER = "X-Token-Passphrase"
SHORTEST, LONGEST = 8, 255
# Seconds for which a proven pair of token and passphrase is taken at its word, in each process.
MEMORY = 300.0
# A process remembers so many pairs; the oldest are proven again.
ROOM = 10_000
_hasher = PasswordHasher()


def hash_passphrase(passphrase: str) -> str:
    return _hasher.hash(passphrase)


class ProvenPairs:
    """Keyed digests of what was proven, with the time until which each counts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: OrderedDict[bytes, float] = OrderedDict()

    def holds(self, pair: bytes) -> bool:
        with self._lock:
            return self._until.get(pair, 0.0) > time.monotonic()

    def add(self, pair: bytes) -> None:
        with self._lock:
            self._until[pair] = time.monotonic() + MEMORY
            self._until.move_to_end(pair)
            while len(self._until) > ROOM:
                self._until.popitem(last=False)


_proven = ProvenPairs()


def is_proven(stored: str, passphrase: str) -> bool:
    """Whether this passphrase was proven to belong to the stored hash a short while ago."""
    return _proven.holds(_pair(stored, passphrase))


def prove(stored: str, passphrase: str) -> bool:
    """Whether the passphrase belongs to the stored hash; takes tens of milliseconds, on purpose."""
    try:
        _hasher.verify(stored, passphrase)
    except (VerificationError, InvalidHashError):
        return False
    _proven.add(_pair(stored, passphrase))
    return True


def _pair(stored: str, passphrase: str) -> bytes:
    """The hash has a salt of its own, so that it stands for one token."""
    key = settings.TOKEN_PEPPERS[-1].encode()
    return hmac.new(key, f"{stored}\0{passphrase}".encode(), sha256).digest()
