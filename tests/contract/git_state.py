"""What a Git provider that stands in remembers."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import TypeVar

from tests.contract.vendor import Call

T = TypeVar("T")


@dataclass
class Key:
    id: str
    title: str
    text: str
    may_write: bool = False


@dataclass
class Hook:
    """`secret` signs deliveries; `token` is sent with them as it is."""

    id: str
    url: str
    secret: str = ""
    token: str = ""
    is_active: bool = True
    events: tuple[str, ...] = ()


@dataclass
class Repo:
    id: str
    full_name: str
    branches: list[str] = field(default_factory=lambda: ["main", "feature/a"])
    is_private: bool = True
    is_admin: bool = True
    is_archived: bool = False
    keys: list[Key] = field(default_factory=list)
    hooks: list[Hook] = field(default_factory=list)


def repos() -> list[Repo]:
    return [
        Repo("11", "acme/blog", is_private=False),
        Repo("12", "acme/old-shop", is_archived=True),
        Repo("13", "acme/shop"),
        Repo("14", "acme/shop-of-others", is_admin=False),
        Repo("15", "other/shop-too", branches=[]),
    ]


@dataclass
class GitState:
    """A vendor refuses what needs one of `denied`; `scopes` are those that it tells of, None where it does not."""

    repos: list[Repo] = field(default_factory=repos)
    denied: set[str] = field(default_factory=set)
    scopes: list[str] | None = None
    expires: str | None = None
    # The most that a vendor gives at a time, whatever it is asked for.
    page_size: int = 100
    _ids: Iterator[int] = field(default_factory=lambda: count(1000))

    def repo(self, name: str) -> Repo | None:
        return next((repo for repo in self.repos if name in (repo.id, repo.full_name)), None)

    @property
    def shop(self) -> Repo:
        return next(repo for repo in self.repos if repo.full_name == "acme/shop")

    def next_id(self) -> str:
        return str(next(self._ids))

    def page(self, rows: list[T], call: Call, size: str) -> tuple[list[T], str]:
        """Those that the call asks for, and the number of the next page, empty after the last."""
        number, most = int(call.query.get("page", 1)), min(int(call.query.get(size, 10)), self.page_size)
        has_more = len(rows) > number * most
        return rows[(number - 1) * most : number * most], str(number + 1) if has_more else ""
