"""Pages of lists that are not in the database."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from deploynix.api.rows import TOTAL, Rows


class Items(Rows):
    """Rows that are at hand, read by pages like those of a table."""

    def __init__(self, items: Sequence[Mapping[str, Any]]) -> None:
        self._items = items

    def read(self, skip: int, take: int, *, reverse: bool = False, counted: bool = False) -> list[dict[str, Any]]:
        start = max(0, self.count() - skip - take) if reverse else skip
        total = {TOTAL: self.count()} if counted else {}
        return [{**item, **total} for item in self._items[start : start + take]]

    def count(self) -> int:
        return len(self._items)

    @property
    def key(self) -> Hashable:
        return id(self)
