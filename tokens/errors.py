"""What is said of a token that opens nothing."""

from deploynix.errors import Error, Unauthenticated
from tokens.models import Kind

_PAGES = {
    Kind.PERSONAL: "Settings > API Tokens",
    Kind.API_KEY: "Settings > API Keys",
    Kind.ACCESS: "Settings > Access Tokens",
}


class IpRestricted(Error):
    """The token is good, but not from this address."""

    status = 403
    code = "ip_restricted"

    def __init__(self, ip: str | None, page: str) -> None:
        super().__init__(
            f"This key may not be used from {ip or 'an unknown address'}.",
            f"Add the address to the key's allowed addresses under {page}.",
        )


def page_of(kind: str) -> str:
    """Where tokens of this kind are made and changed."""
    return _PAGES[Kind(kind)]


def page_to_grant(kind: str) -> str:
    """Where to make one instead that carries more: there is no word for every ability in every vocabulary."""
    page, widest = page_of(kind), _PAGES[Kind.PERSONAL]
    return page if page == widest else f"{page}, or a personal token, which can do all that you can, under {widest}"


def invalid(hint: str = "Check that it is whole, or make a new one under Settings > API Tokens.") -> Unauthenticated:
    return Unauthenticated("invalid_token", "The token is not valid.", hint)
