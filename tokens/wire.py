"""The wire form of a token: `<prefix><public id>_<secret><checksum>`.

Public id and secret are base62; the checksum is CRC32 over all before it, base62, padded to six characters. A typo or
junk is refused here, without a query. The prefix makes a leaked token findable by secret scanners.
"""

import hmac
import secrets
import string
from dataclasses import dataclass, field
from hashlib import sha256
from zlib import crc32

from django.conf import settings

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
PUBLIC_ID_LENGTH = 16
# 30 base62 characters are 178 bits.
SECRET_LENGTH = 30
CHECKSUM_LENGTH = 6
# What the last pepper begins with while it only verifies.
ANNOUNCED = "next:"
PERSONAL_PREFIX = "dnx_"
LIVE_PREFIX = "dep_live_"
TEST_PREFIX = "dep_test_"
DUTY_PREFIX = "dp_"
ACCESS_PREFIX = "workspace_token_"
PREFIXES = (PERSONAL_PREFIX, LIVE_PREFIX, TEST_PREFIX, DUTY_PREFIX, ACCESS_PREFIX)
_BASE62 = frozenset(ALPHABET)


@dataclass(frozen=True, slots=True)
class WireToken:
    """A token's parts; `text` is the whole, as it is sent."""

    prefix: str
    public_id: str
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        body = f"{self.prefix}{self.public_id}_{self.secret}"
        return body + checksum(body)


def base62(value: int) -> str:
    digits = ""
    while value:
        value, rest = divmod(value, 62)
        digits = ALPHABET[rest] + digits
    return digits or "0"


def checksum(body: str) -> str:
    return base62(crc32(body.encode())).rjust(CHECKSUM_LENGTH, "0")


def new_token(prefix: str) -> WireToken:
    return WireToken(prefix, _random(PUBLIC_ID_LENGTH), _random(SECRET_LENGTH))


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def parse(text: str) -> WireToken | None:
    """The parts of a well-formed token, else None."""
    prefix = next((known for known in PREFIXES if text.startswith(known)), None)
    if prefix is None or len(text) != len(prefix) + PUBLIC_ID_LENGTH + 1 + SECRET_LENGTH + CHECKSUM_LENGTH:
        return None
    body, given = text[:-CHECKSUM_LENGTH], text[-CHECKSUM_LENGTH:]
    public_id, separator, secret = body[len(prefix) :].partition("_")
    if not separator or len(public_id) != PUBLIC_ID_LENGTH or not _BASE62.issuperset(public_id + secret):
        return None
    if not given.isascii() or not hmac.compare_digest(given, checksum(body)):
        return None
    return WireToken(prefix, public_id, secret)


def newest_pepper() -> int:
    """The number under which new digests are made; peppers are numbered from 1, in the order of TOKEN_PEPPERS.

    One that is announced is not used yet: other machines may not know it.
    """
    count = len(settings.TOKEN_PEPPERS)
    return count - 1 if settings.TOKEN_PEPPERS[-1].startswith(ANNOUNCED) else count


def digest(token: WireToken, pepper: int) -> str:
    """HMAC-SHA256 of the whole token under the numbered pepper, in hex.

    Raises LookupError for an unknown number, and for a pepper that was retired: its place is left empty.
    """
    key = settings.TOKEN_PEPPERS[pepper - 1] if 1 <= pepper <= len(settings.TOKEN_PEPPERS) else ""
    key = key.removeprefix(ANNOUNCED)
    if not key:
        raise LookupError(f"no token pepper number {pepper}")
    return hmac.new(key.encode(), token.text.encode(), sha256).hexdigest()


def is_digest(stored: str, token: WireToken, pepper: int) -> bool:
    """Whether `stored` is the token's digest under the numbered pepper; never under one that is gone."""
    try:
        return hmac.compare_digest(stored, digest(token, pepper))
    except LookupError:
        return False
