"""What makes two errors the same one: their type, their message but for numbers and ids, and where they were raised."""

import re
from hashlib import sha256

# UUIDs, ULIDs, addresses in memory, hashes, numbers: what differs from one occurrence to the next.
_VARYING = re.compile(
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
    r"|\b[0-9A-HJKMNP-TV-Z]{26}\b"
    r"|\b0x[0-9a-f]+\b"
    r"|\b(?=[a-f]*[0-9])[0-9a-f]{8,}\b"
    r"|[0-9]+",
    re.IGNORECASE,
)
# The beginning of a frame of JavaScript, Java and .NET; of PHP; of Ruby and Go; of Python.
_FRAME = re.compile(r'at\s|#\d+\s|(?:from\s)?\S+:\d+|File "')
_LATEST_LAST = "Traceback (most recent call last)"


def derive_fingerprint(type_: str, message: str, stack: str) -> str:
    """32 hexadecimal digits, the same for errors that differ in numbers and ids only."""
    parts = (_without_varying(part) for part in (type_, message, top_frame(stack)))
    return sha256("\0".join(parts).encode()).hexdigest()[:32]


def top_frame(stack: str) -> str:
    """The line that says where the error was raised; an empty text where the stack has none."""
    frames = [line for line in map(str.strip, stack.splitlines()) if _FRAME.match(line)]
    if not frames:
        return ""
    return frames[-1 if _LATEST_LAST in stack else 0]


def _without_varying(text: str) -> str:
    return _VARYING.sub("*", text)
