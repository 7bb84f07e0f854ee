"""Domain names, as DNS knows them."""

import re

import idna
from django.core.exceptions import ValidationError

LONGEST_DOMAIN = 253
WILDCARD = "*."
LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{LABEL}(\.{LABEL})+")


def ascii_domain(text: str) -> str:
    """A domain name in lower case and in the form DNS knows: `Bücher.example` becomes `xn--bcher-kva.example`.

    The `*.` of a wildcard stays. What is no domain name is returned as it is, for `check_domain` to refuse.
    """
    name = text.strip().lower().rstrip(".")
    bare = name.removeprefix(WILDCARD)
    try:
        return name.removesuffix(bare) + idna.encode(bare, uts46=True).decode()
    except idna.IDNAError:
        return name


def check_domain(domain: str) -> None:
    """Raises ValidationError."""
    if len(domain) > LONGEST_DOMAIN or not _DOMAIN.fullmatch(domain):
        raise ValidationError(f"{domain!r} is not a domain name, such as www.example.com.")
    if domain.rpartition(".")[2].isdigit():
        raise ValidationError("Give a domain name, not an address.")
