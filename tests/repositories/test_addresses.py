import pytest

from repositories.addresses import place_of
from repositories.models import GitRepository

SHOP = GitRepository(
    clone_url="https://git.example:8443/acme/shop.git", ssh_url="ssh://git@git.example:2222/acme/shop.git"
)


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example/acme/shop.git",
        "https://git.example/acme/shop",
        "https://Git.Example:443/Acme/Shop.git/",
        "git://git.example/acme/shop",
        "ssh://git@git.example/acme/shop.git",
        "ssh://git.example:22/acme/shop.git",
        "git@git.example:acme/shop.git",
        "git@git.example:/acme/shop",
    ],
)
def test_all_ways_to_a_repository_lead_to_the_same_place(url: str) -> None:
    assert place_of(url) == ("git.example", None, "acme/shop")


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example:444/acme/shop.git",
        "https://evil.example/acme/shop.git",
        "https://git.example/acme/shop2.git",
        "https://git.example/shop.git",
        "ssh://git@git.example:443/acme/shop.git",
        "git@git.example.evil.example:acme/shop.git",
    ],
)
def test_other_places_are_other_places(url: str) -> None:
    assert place_of(url) != ("git.example", None, "acme/shop")


@pytest.mark.parametrize(
    "url", ["", "https://", "https://git.example", "git@git.example:", "https://[", "https://a:x/b"]
)
def test_what_is_no_address_is_no_place(url: str) -> None:
    assert place_of(url) is None
    assert not GitRepository().is_at(url)


@pytest.mark.parametrize(
    ("url", "is_here"),
    [
        ("https://git.example:8443/acme/shop", True),
        ("ssh://git@git.example:2222/acme/shop", True),
        ("git@git.example:acme/shop.git", False),
        ("https://git.example/acme/shop.git", False),
    ],
)
def test_a_port_of_its_own_belongs_to_the_address(url: str, is_here: bool) -> None:
    assert SHOP.is_at(url) is is_here
