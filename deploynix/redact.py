"""Takes secrets out of text before it is stored or shown, in every form in which a tool may print them."""

import base64
import json
import shlex
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote, quote_plus

MASK = "[redacted]"
# Shorter values ("1", "true", "8080") stand in too many innocent places.
SHORTEST = 6

SecretSource = Callable[[str], Iterable[str]]
_sources: list[SecretSource] = []


def register_secrets(source: SecretSource) -> SecretSource:
    """Registers a function that yields every secret an organization (by id) holds."""
    _sources.append(source)
    return source


def secrets_of(organization_id: str) -> list[str]:
    return [secret for source in _sources for secret in source(organization_id)]


def forms_of(secret: str) -> set[str]:
    """The secret as it may be printed: raw, base64 at each of three alignments, URL-encoded, shell- or JSON-quoted."""
    raw = secret.encode()
    forms = {secret, quote(secret, safe=""), quote(secret), quote_plus(secret)}
    forms |= {shlex.quote(secret).strip("'"), json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    forms |= {raw.hex(), raw.hex().upper()}
    forms |= _base64_forms(raw)
    # A multi-line secret is often printed, or indented, line by line.
    forms |= {line.strip() for line in secret.splitlines() if len(line.strip()) >= 2 * SHORTEST}
    return {form for form in forms if len(form) >= SHORTEST}


def _base64_forms(raw: bytes) -> set[str]:
    """Base64 of the secret inside a longer text differs by where it starts; the characters that mix are left out."""
    forms = set()
    for shift in range(3):
        padded = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
        first = -(-shift * 8 // 6)
        usable = (shift + len(raw)) * 8 // 6
        core = padded[first:usable]
        if len(core) >= SHORTEST:
            forms |= {core, core.replace("+", "-").replace("/", "_")}
    return forms


class Redactor:
    """Replaces secrets in a stream of text chunks.

    Text that could be the beginning of a secret is held back until the next chunk tells, so that a secret split
    over two chunks is found; `flush` gives out what is left.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets if len(secret) >= SHORTEST for form in forms_of(secret)}
        self._longest = max(map(len, forms), default=0)
        # Looked up by their beginnings: one pattern of them all takes seconds to make where there are hundreds.
        self._by_start: dict[str, list[str]] = {}
        for form in sorted(forms, key=len, reverse=True):
            self._by_start.setdefault(form[:SHORTEST], []).append(form)
        self._beginnings = {start[:size] for start in self._by_start for size in range(1, SHORTEST)}
        self._held = ""

    def feed(self, chunk: str) -> str:
        text = self._held + chunk
        cut = self._decided(text)
        self._held = text[cut:]
        return self.redact(text[:cut])

    def flush(self) -> str:
        held, self._held = self._held, ""
        return self.redact(held)

    def redact(self, text: str) -> str:
        """A whole text at once."""
        pieces, end = [], 0
        for start, stop in self._found(text):
            pieces += [text[end:start], MASK]
            end = stop
        return "".join([*pieces, text[end:]])

    def _found(self, text: str) -> Iterator[tuple[int, int]]:
        """Where secrets begin and end; of several that begin at one place, the longest."""
        end = 0
        for at in [at for at in range(len(text) - SHORTEST + 1) if text[at : at + SHORTEST] in self._by_start]:
            if at < end:
                continue
            known = self._by_start[text[at : at + SHORTEST]]
            if form := next((form for form in known if text.startswith(form, at)), ""):
                end = at + len(form)
                yield at, end

    def _decided(self, text: str) -> int:
        """Up to where no later chunk can change what is a secret and what is not."""
        cut = self._first_open_start(text)
        if cut == len(text):
            return cut
        return next((start for start, stop in self._found(text) if start < cut < stop), cut)

    def _first_open_start(self, text: str) -> int:
        first = max(0, len(text) - self._longest + 1)
        return next((start for start in range(first, len(text)) if self._is_open(text[start:])), len(text))

    def _is_open(self, tail: str) -> bool:
        """Whether a secret begins with it, and has not ended."""
        if len(tail) < SHORTEST:
            return tail in self._beginnings
        known = self._by_start.get(tail[:SHORTEST], ())
        return any(len(form) > len(tail) and form.startswith(tail) for form in known)
